"""Which reader a file needs, told by its content, and which writer a name asks for.

The kinds stand in `formats.FORMATS`; a program that uses this package adds one of its own with
`register_format`.
"""

from pathlib import Path

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError, DataError, did_you_mean
from ptychopinn.io.archive import Archive
from ptychopinn.io.facility_hdf5 import read_facility_hdf5
from ptychopinn.io.file_map import PLACES, parse_map, require_heeded
from ptychopinn.io.formats import FORMATS
from ptychopinn.io.hdf5 import describe_hdf5
from ptychopinn.io.hdf5_tree import Branch, hdf5_tree
from ptychopinn.io.ptychopinn_npz import describe_npz
from ptychopinn.io.refusal import container, first_bytes, listed, missing, refusal
from ptychopinn.io.scan_format import Description, ScanFormat
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
#: Suffixes that say which container a file is.
_CONTAINER_SUFFIXES = (".npz", ".h5", ".hdf5", ".cxi", ".nxs", ".ptyd")
#: Files of a scan whose contents are shown; further ones are alike.
_MOST_FILES = 3
_FORMATS: dict[str, ScanFormat] = {known.name: known for known in FORMATS}


def register_format(made: ScanFormat) -> None:
    """Make a format known; those registered first are tried first."""
    _FORMATS[made.name] = made


def known_formats() -> list[str]:
    """Return the names of all formats, in the order in which they are tried."""
    return list(_FORMATS)


def writable_formats() -> list[str]:
    """Return the names of the formats that can be written."""
    return [known.name for known in _FORMATS.values() if known.write]


def recognise(path: str | Path) -> str:
    """Return the name of the format of a scan, told by its content.

    Args:
        path: The file, or a folder that holds the files of one scan.

    Raises:
        DataError: The file is missing, damaged, or of no known kind; the sentence tells what was
            found in it and what was looked for. A folder holds no scan, or several.
    """
    return _format_of(_scan_file(path)).name


def read_scan(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan of any known format.

    Args:
        path: The file, whose content tells the format, not its name; or a folder that holds the
            files of one scan.
        data: Overrides for what a file leaves open.

    Raises:
        DataError: No known format, or what the reader of the format refuses.
        ConfigError: `map` says something that a file of this format tells itself.
    """
    place, said = _scan_file(path), parse_map(data.map)
    is_hdf5 = container(place) == "hdf5"
    if "patterns" in said and is_hdf5:
        require_heeded(said, "any HDF5 file", PLACES, is_hdf5=False)
        return read_facility_hdf5(place, data)
    known = _format_of(place)
    require_heeded(said, known.name, known.heeds, is_hdf5=is_hdf5)
    return known.read(place, data)


def write_scan(path: str | Path, scan: Scan, format_name: str | None = None) -> str:
    """Write a scan in the format that the name of the file, or ``format_name``, asks for.

    Returns:
        The name of the format.

    Raises:
        ConfigError: No format that can be written has this name or suffix.
        OutputError: The file cannot be written; nothing is left half-written.
    """
    chosen = format_to_write(path, format_name)
    assert chosen.write is not None
    chosen.write(path, scan)
    return chosen.name


def format_to_write(path: str | Path, format_name: str | None = None) -> ScanFormat:
    """Return the format, one that can be written, that a name or else a suffix means.

    Raises:
        ConfigError: There is none, or the name of the file means NPZ and the format HDF5, or the
            other way round, so that other programs would not open it.
    """
    if not format_name:
        return _of_suffix(path)
    chosen = _named(format_name)
    _require_fitting_name(path, chosen)
    return chosen


def _require_fitting_name(path: str | Path, chosen: ScanFormat) -> None:
    """Refuse a name that says NPZ for a format that is HDF5, or the other way round."""
    suffix = Path(path).suffix.casefold()
    written = {Path(name).suffix == ".npz" for name in chosen.suffixes}
    if suffix not in _CONTAINER_SUFFIXES or not written or (suffix == ".npz") in written:
        return
    raise ConfigError(
        f"{path}: found the suffix {suffix} for {chosen.name}, wanted one of "
        f"{'an NPZ' if written == {True} else 'an HDF5'} file; let it end with "
        f"{chosen.suffixes[0]}."
    )


def contents(path: str | Path) -> list[tuple[Path, tuple[Branch, ...]]]:
    """Return what every file of a scan holds, of any NPZ, or of any HDF5 file, as trees.

    Raises:
        DataError: The file is missing or damaged; a folder holds no scan, or several.
    """
    place = _scan_file(path)
    known = _recognised(place)
    files = known.files(place) if known else (place,)
    return [(file, _branches(file)) for file in files[:_MOST_FILES]]


def _branches(path: Path) -> tuple[Branch, ...]:
    if container(path) == "hdf5":
        return hdf5_tree(path)
    try:
        rows = describe(path)
    except DataError:
        return (Branch("", f"starts with {first_bytes(path)}"),)
    return tuple(Branch(key, f"{_in_words(shape)} {dtype}") for key, shape, dtype in rows)


def _in_words(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "scalar"


def describe(path: str | Path) -> Description:
    """Return key, shape and type of every array of a scan, of any NPZ, or of any HDF5 file.

    Nothing is read but headers.

    Raises:
        DataError: The file is missing, damaged, or none of these.
    """
    place = _scan_file(path)
    kind = container(place)
    for candidate in _FORMATS.values():
        if candidate.describe is not None and candidate.recognise(place):
            return candidate.describe(place)
    if kind == "npz":
        return describe_npz(place)
    if kind == "hdf5":
        return describe_hdf5(place)
    raise refusal(path, "", _found_in(place), "an NPZ or HDF5 file", "name another file")


def _format_of(path: str | Path) -> ScanFormat:
    container(path)  # refuses what cannot be read at all
    for candidate in _FORMATS.values():
        if candidate.recognise(path):
            return candidate
    _require_patterns(path)
    raise refusal(
        path,
        "",
        _found_in(path),
        " or ".join(f"{known.name} ({known.sign})" for known in _FORMATS.values()),
        'name the file that holds the measured patterns, or say with --map "patterns=PLACE '
        'positions=PLACE" where they are'
        if container(path) == "hdf5"
        else "name the file that holds the measured patterns",
    )


def _require_patterns(path: str | Path) -> None:
    """Refuse a file that has all of a kind but its patterns, naming what is missing."""
    names = _names_in(path)
    for known in _FORMATS.values():
        if any(part in names for part in known.parts):
            raise missing(path, known.patterns, names)


def _scan_file(path: str | Path) -> Path:
    """Return the file that is meant: itself, or the only scan of a folder."""
    place = Path(path)
    if not place.is_dir():
        return place
    scans: dict[tuple[Path, ...], Path] = {}
    for item in sorted(place.iterdir()):
        known = None if item.name.startswith(".") else _recognised(item)
        if known is not None:
            scans.setdefault(known.files(item), item)
    parts = {part for files in scans for part in files if len(files) > 1}
    scans = {files: item for files, item in scans.items() if len(files) > 1 or item not in parts}
    if len(scans) == 1:
        return next(iter(scans.values()))
    names = listed([item.name for item in scans.values()])
    found = f"a folder with {len(scans)} scans ({names})" if scans else "a folder without a scan"
    raise refusal(path, "", found, "one scan", "name one file inside it")


def _recognised(path: Path) -> ScanFormat | None:
    """Return the format of a file of a folder, or nothing when it is damaged or no scan."""
    try:
        container(path)
        return next((known for known in _FORMATS.values() if known.recognise(path)), None)
    except DataError:
        return None


def _named(name: str) -> ScanFormat:
    """Return the format that a name, in any case and perhaps only a part of it, means."""
    wanted = name.casefold()
    can = [known for known in _FORMATS.values() if known.write]
    exact = [known for known in can if known.name.casefold() == wanted]
    fitting = exact or [known for known in can if wanted in known.name.casefold()]
    if len(fitting) == 1:
        return fitting[0]
    names = [known.name for known in fitting or can]
    raise ConfigError(f"'{name}' is no format to write; {did_you_mean(name, names)}")


def _of_suffix(path: str | Path) -> ScanFormat:
    """Return the format to write that has the longest suffix with which a name ends."""
    name = Path(path).name.casefold()
    fitting = [
        (len(suffix), known)
        for known in _FORMATS.values()
        for suffix in known.suffixes
        if known.write and name.endswith(suffix)
    ]
    if not fitting:
        raise ConfigError(
            f"{path}: no format to write has this suffix; name one with --format: "
            f"{', '.join(writable_formats())}."
        )
    return max(fitting, key=lambda pair: pair[0])[1]


def _found_in(path: str | Path) -> str:
    kind = container(path)
    if kind is None:
        return f"a file that starts with {first_bytes(path)}"
    names = listed(_names_in(path)) or "(none)"
    return (
        f"an NPZ file with the keys {names}"
        if kind == "npz"
        else f"an HDF5 file with the datasets {names}"
    )


def _names_in(path: str | Path) -> list[str]:
    """Return the names of the arrays of a file; none of a file that is no container."""
    kind = container(path)
    if kind == "npz":
        return Archive(path).keys()
    return [name for name, _, _ in describe_hdf5(path)] if kind == "hdf5" else []
