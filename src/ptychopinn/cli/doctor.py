"""``ptychopinn doctor``."""

import dataclasses
import importlib
import json
import logging
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ptychopinn.doctor.parts import OPTIONAL, REQUIRED, find_parts
from ptychopinn.doctor.records import FoundPart, SelfTest

#: Exit code when something that is required is missing or does not work.
BROKEN = 1


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Print what this installation has and whether it works."""
    logging.getLogger("ptychopinn").setLevel(logging.WARNING)
    required, optional = find_parts(REQUIRED), find_parts(OPTIONAL)
    machine, tests = _look()
    works = all(part.version for part in required) and all(test.works for test in tests)
    if parsed.json:
        found = {
            "works": works,
            "machine": None if machine is None else dataclasses.asdict(machine),
            "required": [dataclasses.asdict(part) for part in required],
            "optional": [dataclasses.asdict(part) for part in optional],
            "self_test": [dataclasses.asdict(test) for test in tests],
        }
        print(json.dumps(found, indent=2))
        return 0 if works else BROKEN
    _print_tables({} if machine is None else machine.describe(), required, optional, tests)
    print("All that is required works." if works else "Something required is broken; see ✗.")
    return 0 if works else BROKEN


def _look() -> tuple[Any, list[SelfTest]]:
    """Return the machine and the trials; None and one failed trial where torch does not import."""
    try:
        # Imported here so that a torch that cannot be loaded is a row and no traceback.
        machine = importlib.import_module("ptychopinn.doctor.machine")
        trials = importlib.import_module("ptychopinn.doctor.self_test")
    except (ImportError, OSError) as error:
        return None, [SelfTest("import", False, f"{type(error).__name__}: {error}")]
    return machine.look_at_machine(), trials.try_out()


def _print_tables(
    machine: dict[str, str],
    required: list[FoundPart],
    optional: list[FoundPart],
    tests: list[SelfTest],
) -> None:
    console = Console()
    rows = Table("", "", title="machine", show_header=False)
    for name, value in machine.items():
        rows.add_row(name, escape(value))
    if machine:
        console.print(rows)
    console.print(_parts_table("required", required, "[red]✗[/red]"))
    console.print(_parts_table("optional", optional, "-"))
    trials = Table("", "trial", "found", title="self-test")
    for test in tests:
        trials.add_row(_mark(test.works), test.name, escape(test.found))
    console.print(trials)


def _parts_table(title: str, parts: list[FoundPart], absent: str) -> Table:
    table = Table("", "package", "version", "for", title=title)
    for part in parts:
        there = part.version is not None
        state = part.version or f"missing: {part.command}"
        table.add_row(_mark(True) if there else absent, part.name, escape(state), part.purpose)
    return table


def _mark(works: bool) -> str:
    return "[green]✓[/green]" if works else "[red]✗[/red]"
