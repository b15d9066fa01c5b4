"""What the registry knows of a kind of file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ptychopinn.config import DataConfig
from ptychopinn.scan import Scan

#: Key, shape and type of every array of a file.
Description = list[tuple[str, tuple[int, ...], str]]


def alone(path: Path) -> tuple[Path, ...]:
    """Return the files of a scan that is one file."""
    return (path,)


@dataclass(frozen=True)
class ScanFormat:
    """A kind of file, or of files that belong together, that holds a scan."""

    name: str
    """What the kind is called; ``convert --format`` takes it, small letters and parts of it too."""
    sign: str
    """What it is known by, for the message that says what was looked for."""
    recognise: Callable[[str | Path], bool]
    """Tells by its content whether a file is of this kind; may refuse a damaged one of its
    container. For a scan in several files: True for each of them."""
    read: Callable[[str | Path, DataConfig], Scan]
    """Reads the scan, whichever of its files is named."""
    heeds: tuple[str, ...] = ()
    """Names of ``--map`` that the reader asks for; others are refused before it is called."""
    suffixes: tuple[str, ...] = ()
    """Ends of names by which ``convert`` chooses this kind to write, the most usual first."""
    write: Callable[[str | Path, Scan], None] | None = None
    """Writes a scan, whole or not at all; None = this package does not write the kind."""
    describe: Callable[[str | Path], Description] | None = None
    """Lists key, shape and type of its arrays without reading them; None = as its container."""
    files: Callable[[Path], tuple[Path, ...]] = alone
    """All files of the scan that one of them belongs to, so that a folder counts them once."""
    patterns: str = ""
    """Name of the array of patterns, where it is always the same."""
    parts: tuple[str, ...] = ()
    """Other arrays that only this kind has: a file with one of them lacks nothing but patterns."""
