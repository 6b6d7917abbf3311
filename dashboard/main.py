"""`streamlit run dashboard/main.py -- --fleet URL --token-file FILE`: the dashboard of a fleet."""

import sys
from pathlib import Path

# Streamlit puts this file's own folder on the path, not the one that the package `dashboard` is in.
_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in sys.path:
    sys.path.append(_ROOT)

from dashboard.views.app import show_app  # noqa: E402 - found through the line above

show_app(sys.argv[1:])
