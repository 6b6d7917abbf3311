"""A table whose rows open: a click puts the row's id into the page's address, to be sent on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the key of a row; `narrow` tells whether it stays where the screen is too narrow for columns."""

    name: str
    label: str
    numeric: bool = False
    narrow: bool = True


Row = Mapping[str, str | bool]


def click_list(key: str, caption: str, columns: Sequence[Column], rows: Sequence[Row], parameter: str) -> None:
    """Each row has an `id`; `bad` names the columns that stand out. `parameter` is that of the page's address.

    The first column is the button that opens the row.
    """
    shape = [{"name": one.name, "label": one.label, "number": one.numeric, "narrow": one.narrow} for one in columns]
    data = {"caption": caption, "columns": shape, "rows": list(rows)}
    opened = _component()(key=key, data=data, on_opened_change=lambda: None).opened
    if opened:
        st.query_params[parameter] = str(opened)
        # The whole page: a dialog that belonged to this part would be closed by its next refresh.
        st.rerun(scope="app")


@st.cache_resource
def _component() -> Callable[..., Any]:
    """Registered once a process: each registration of the same name replaces the one before, with a warning."""
    here = Path(__file__).parent
    return st.components.v2.component(
        "edgemind_click_list",
        css=(here / "click_list.css").read_text(encoding="utf-8"),
        js=(here / "click_list.js").read_text(encoding="utf-8"),
    )
