"""``ptychopinn report``."""

from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from ptychopinn.cli.page import page_again


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Write the page of a folder of results anew, and say where it is."""
    print(f"page: {page_again(Path(parsed.folder))}")
    return 0
