"""Which reader a file needs, told by its content: the one place that knows all formats.

A new format is a module that reads it and one `register_format` below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ptychopinn.config import DataConfig
from ptychopinn.io.archive import Archive
from ptychopinn.io.hdf5 import describe_hdf5
from ptychopinn.io.ptychopinn_npz import describe_npz, is_scan_npz, read_scan_npz
from ptychopinn.io.refusal import container, first_bytes, listed, refusal
from ptychopinn.scan import Scan

Description = list[tuple[str, tuple[int, ...], str]]

_DEFAULTS = DataConfig()
_FORMATS: dict[str, "ScanFormat"] = {}


@dataclass(frozen=True)
class ScanFormat:
    """A kind of file that holds a scan."""

    name: str
    """What the kind is called."""
    sign: str
    """What it is known by, for the message that says what was looked for."""
    recognise: Callable[[str | Path], bool]
    """Tells whether a file is of this kind; may refuse a damaged one of its container."""
    read: Callable[[str | Path, DataConfig], Scan]
    """Reads the file."""
    describe: Callable[[str | Path], Description]
    """Lists key, shape and type of its arrays without reading them."""


def register_format(made: ScanFormat) -> None:
    """Make a format known; those registered first are tried first."""
    _FORMATS[made.name] = made


def known_formats() -> list[str]:
    """Return the names of all formats, in the order in which they are tried."""
    return list(_FORMATS)


def recognise(path: str | Path) -> str:
    """Return the name of the format of a scan, told by its content.

    Raises:
        DataError: The file is missing, damaged, or of no known kind; the sentence tells what was
            found in it and what was looked for.
    """
    return _format_of(path).name


def _format_of(path: str | Path) -> ScanFormat:
    container(path)  # refuses what cannot be read at all
    for candidate in _FORMATS.values():
        if candidate.recognise(path):
            return candidate
    raise refusal(
        path,
        "",
        _found_in(path),
        " or ".join(f"{known.name} ({known.sign})" for known in _FORMATS.values()),
        "name the file that holds the measured patterns",
    )


def read_scan(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan of any known format.

    Args:
        path: The file; its content tells the format, not its name.
        data: Overrides for what a file leaves open.

    Raises:
        DataError: No known format, or what the reader of the format refuses.
    """
    return _format_of(path).read(path, data)


def describe(path: str | Path) -> Description:
    """Return key, shape and type of every array of a scan, of any NPZ, or of any HDF5 file.

    Nothing is read but headers.

    Raises:
        DataError: The file is missing, damaged, or none of these.
    """
    kind = container(path)
    for candidate in _FORMATS.values():
        if candidate.recognise(path):
            return candidate.describe(path)
    if kind == "npz":
        return describe_npz(path)
    if kind == "hdf5":
        return describe_hdf5(path)
    raise refusal(path, "", _found_in(path), "an NPZ or HDF5 file", "name another file")


def _found_in(path: str | Path) -> str:
    kind = container(path)
    if kind == "npz":
        return f"an NPZ file with the keys {listed(Archive(path).keys()) or '(none)'}"
    if kind == "hdf5":
        names = [name for name, _, _ in describe_hdf5(path)]
        return f"an HDF5 file with the datasets {listed(names) or '(none)'}"
    return f"a file that starts with {first_bytes(path)}"


register_format(
    ScanFormat(
        name="PtychoPINN NPZ",
        sign="an NPZ file with diff3d or diffraction",
        recognise=is_scan_npz,
        read=read_scan_npz,
        describe=describe_npz,
    )
)
