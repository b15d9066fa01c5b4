"""``ptychopinn doctor``."""

import dataclasses
import json
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table

from ptychopinn.doctor import (
    OPTIONAL,
    REQUIRED,
    FoundPart,
    Machine,
    SelfTest,
    find_parts,
    look_at_machine,
    try_out,
)
from ptychopinn.io.refusal import bytes_in_words

#: Exit code when something that is required is missing or does not work.
BROKEN = 1


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Print what this installation has and whether it works."""
    required, optional = find_parts(REQUIRED), find_parts(OPTIONAL)
    machine, tests = look_at_machine(), try_out()
    works = all(part.version for part in required) and all(test.works for test in tests)
    if parsed.json:
        found = {
            "works": works,
            "machine": dataclasses.asdict(machine),
            "required": [dataclasses.asdict(part) for part in required],
            "optional": [dataclasses.asdict(part) for part in optional],
            "self_test": [dataclasses.asdict(test) for test in tests],
        }
        print(json.dumps(found, indent=2))
    else:
        _print_tables(machine, required, optional, tests)
        print("All that is required works." if works else "Something required is broken; see ✗.")
    return 0 if works else BROKEN


def _print_tables(
    machine: Machine, required: list[FoundPart], optional: list[FoundPart], tests: list[SelfTest]
) -> None:
    console = Console()
    rows = Table("", "", title="machine", show_header=False)
    for name, value in _figures(machine).items():
        rows.add_row(name, value)
    console.print(rows)
    console.print(_parts_table("required", required, "[red]✗[/red]"))
    console.print(_parts_table("optional", optional, "-"))
    trials = Table("", "trial", "found", title="self-test")
    for test in tests:
        trials.add_row(_mark(test.works), test.name, test.found)
    console.print(trials)


def _parts_table(title: str, parts: list[FoundPart], absent: str) -> Table:
    table = Table("", "package", "version", "for", title=title)
    for part in parts:
        there = part.version is not None
        # Brackets of an extra are no markup.
        command = part.command.replace("[", r"\[")
        state = part.version or f"missing: {command}"
        table.add_row("[green]✓[/green]" if there else absent, part.name, state, part.purpose)
    return table


def _mark(works: bool) -> str:
    return "[green]✓[/green]" if works else "[red]✗[/red]"


def _figures(machine: Machine) -> dict[str, str]:
    omp = machine.omp_num_threads
    told = f"OMP_NUM_THREADS={omp}" if omp else "OMP_NUM_THREADS is not set"
    return {
        "system": machine.system,
        "python": f"{machine.python}, {machine.executable}",
        "accelerator": machine.accelerator or f"none: {machine.why_none}",
        "cores": f"{machine.allowed_cores} of {machine.cores} for this process",
        "threads": f"{machine.torch_threads} by torch; {told}",
        "memory": _memory(machine),
        "disk": f"{bytes_in_words(machine.free_disk_bytes)} free at {machine.folder}",
    }


def _memory(machine: Machine) -> str:
    if machine.memory_bytes is None or machine.free_memory_bytes is None:
        return "not known on this system"
    free, total = map(bytes_in_words, (machine.free_memory_bytes, machine.memory_bytes))
    return f"{free} free of {total}"
