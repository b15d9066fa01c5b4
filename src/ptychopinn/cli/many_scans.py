"""One command over many scans: a folder for each, past the bad ones, and a table at the end."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ptychopinn.errors import (
    ConfigError,
    Interrupted,
    ProcessError,
    PtychoError,
    SharedScanError,
)
from ptychopinn.processes import current


class Done(NamedTuple):
    """What became of one scan."""

    scan: str
    folder: Path
    seconds: float
    said: str
    """The verdict on its image, or why there is none."""
    failed: bool


def folders_for(scans: Sequence[str], output: str) -> list[Path]:
    """Name a folder for each scan: the output itself for one, below it by file name for many.

    Files of the same name in different folders are told apart by their folders.

    Raises:
        ConfigError: A scan is given twice.
    """
    if len(scans) == 1:
        return [Path(output)]
    places = [Path(scan).resolve() for scan in scans]
    twice = [scan for scan, place in zip(scans, places, strict=True) if places.count(place) > 1]
    if twice:
        raise ConfigError(f"{twice[0]}: is given twice; name every scan once.")
    names = [place.stem for place in places]
    depth = 1
    while len(set(names)) < len(names):
        again = Counter(names)
        names = [
            "-".join((*place.parts[-1 - depth : -1], place.stem)) if again[name] > 1 else name
            for name, place in zip(names, places, strict=True)
        ]
        depth += 1
        if depth > max(len(place.parts) for place in places):
            names = [place.name for place in places]
            break
    return [Path(output) / name for name in names]


def go_through(
    scans: Sequence[str], folders: Sequence[Path], work: Callable[[str, Path], str]
) -> list[Done]:
    """Work on one scan after the other, and print the table of all at the end.

    A scan that is refused, or too large for the memory, does not end the rest; nor does one that
    another of several processes gave up. Whatever ends it early, what was done until then is shown.

    Args:
        scans: Paths.
        folders: Where the results of each go.
        work: Called with both; returns the line for the table.

    Raises:
        ProcessError: One of several processes is gone.
        Interrupted: By Ctrl-C, after some results were written.
    """
    done: list[Done] = []
    try:
        for number, (scan, folder) in enumerate(zip(scans, folders, strict=True), start=1):
            print(f"[{number}/{len(scans)}] {scan}")
            done.append(_one(scan, folder, work))
    except KeyboardInterrupt as error:
        kept = sum(not one.failed for one in done)
        if not kept:
            raise
        raise Interrupted(
            f"interrupted at scan {len(done) + 1} of {len(scans)}; the results of {kept} are kept: "
            "the same command with --resume does the rest."
        ) from error
    finally:
        show(done, len(scans))
    return done


def _one(scan: str, folder: Path, work: Callable[[str, Path], str]) -> Done:
    """Work on one scan, and agree with the other processes whether it is done."""
    started = time.monotonic()
    try:
        said, failed = work(scan, folder), False
        current().go_on()
    except ProcessError:
        raise
    except SharedScanError as error:
        said, failed = str(error), True
        print(f"not done: {said}")
    except (PtychoError, OSError, MemoryError, RuntimeError) as error:
        said, failed = " ".join(str(error).split()) or type(error).__name__, True
        # Only the first process has a standard output; why another failed must be seen too.
        print(f"not done: {said}", file=sys.stdout if current().first else sys.stderr)
        current().go_on(given_up=True)
    return Done(scan, folder, time.monotonic() - started, said, failed)


def show(done: Sequence[Done], total: int) -> None:
    """Print the table of the scans that were tried, and how many of all were done."""
    if not current().first or not done:
        return
    table = Table("scan", "results", "seconds", "", title="all scans")
    for one in done:
        where = "-" if one.failed else str(one.folder)
        style = "red" if one.failed else ""
        said = Text(one.said, style=style)
        table.add_row(Text(one.scan), Text(where), f"{one.seconds:.1f}", said)
    Console().print(table)
    failed = sum(one.failed for one in done)
    print(f"{len(done) - failed} of {total} scans reconstructed")
