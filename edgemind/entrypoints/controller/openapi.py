"""Write the fleet API's OpenAPI document: `python -m edgemind.entrypoints.controller.openapi docs/openapi.json`."""

import json
import sys
from pathlib import Path

from edgemind.entrypoints.controller.application import openapi_document

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(openapi_document(), indent=2) + "\n", encoding="utf-8")
