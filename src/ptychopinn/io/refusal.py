"""The one sentence with which a reader refuses a file, and the checks that need no format."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ptychopinn.errors import DataError, said_briefly

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
#: Names that look alike and mean different things, in the files of PtychoPINN and Ptychodus.
_OWN_MEANING = frozenset(
    (
        *("diff3d", "diffraction", "probeGuess", "objectGuess", "bad_pixels", "scan_index"),
        *("xcoords", "ycoords", "xcoords_start", "ycoords_start", "domain"),
        *("pixel_size_m", "wavelength_m", "probe_position_indexes"),
        *(f"probe_position_{axis}_{unit}" for axis in "xy" for unit in ("m", "px")),
    )
)
_HDF5_START = b"\x89HDF\r\n\x1a\n"


def refusal(path: str | Path, what: str, found: str, wanted: str, step: str) -> DataError:
    """Return the error whose one sentence names file, array, what was found and wanted, next step.

    Args:
        path: The file.
        what: The array (its key in the file), or nothing when the file as a whole is meant.
        found: What is there.
        wanted: What is needed instead.
        step: What the user does next.
    """
    subject = f"{path}: {what}" if what else f"{path}"
    return DataError(f"{subject}: found {found}, wanted {wanted}; {step}.")


def missing(path: str | Path, key: str, present: Iterable[str]) -> DataError:
    """Return the refusal of a file without a key; names what is there, and what may be meant.

    An array that has a meaning of its own is never meant for another one.
    """
    names = sorted(present)
    free = [name for name in names if name not in _OWN_MEANING]
    near = difflib.get_close_matches(key, free, n=1, cutoff=0.6)
    found = f"only {listed(names)}" if names else "no array at all"
    step = f"rename {near[0]} if it is meant" if near else "add it or name another file"
    return refusal(path, key, found, f"an array {key}", step)


def listed(names: list[str]) -> str:
    """Return names separated by commas, at most a dozen of them."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def bytes_in_words(size: float) -> str:
    """Return a number of bytes with a binary unit, such as ``1.5 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def require_file(path: str | Path) -> None:
    """Refuse what is missing, a folder, not readable, not a regular file, or empty."""
    place = Path(path)
    try:
        if place.is_dir():
            raise refusal(path, "", "a folder", "a file", "name a file inside it")
        if not place.exists():
            raise refusal(path, "", "nothing there", "a file", "check the path")
        if not place.is_file():
            raise refusal(path, "", "a device or pipe", "a file", "copy the data into a file")
        with place.open("rb") as file:
            if not file.read(1):
                raise refusal(path, "", "an empty file", "data", "copy or make the file again")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else said_briefly(error)
        raise refusal(
            path, "", f"a file that cannot be read ({reason})", "one that can", "check its rights"
        ) from error


def container(path: str | Path) -> Literal["npz", "hdf5"] | None:
    """Tell by its first bytes whether a file is a zip (NPZ), HDF5, or neither.

    Refuses what `require_file` refuses. A damaged file keeps its kind, so that the reader of that
    kind can say what is wrong with it.
    """
    require_file(path)
    with Path(path).open("rb") as file:
        start = file.read(8)
    if start.startswith(_ZIP_STARTS):
        return "npz"
    return "hdf5" if start == _HDF5_START else None


def first_bytes(path: str | Path) -> str:
    """Return how a file starts, for messages."""
    with Path(path).open("rb") as file:
        return repr(file.read(12))[1:]
