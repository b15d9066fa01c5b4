"""HDF5 files of facilities, and any HDF5 file whose datasets the user names with ``--map``."""

import fnmatch
from pathlib import Path

import h5py
import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.facility_layouts import LAYOUTS, Layout
from ptychopinn.io.facility_positions import read_positions
from ptychopinn.io.file_map import FileMap, parse_map
from ptychopinn.io.geometry import Geometry
from ptychopinn.io.hdf5 import objects_in, opened_hdf5, read_dataset
from ptychopinn.io.hdf5_fields import first_dataset, read_quantity
from ptychopinn.io.mapped_files import Item, MappedFiles
from ptychopinn.io.measurement import Measurement, Stage, as_scan
from ptychopinn.io.nxptycho import nxptycho_layout
from ptychopinn.io.pattern_pairing import Pairing, chosen_patterns, pair_by_index
from ptychopinn.io.refusal import container, listed, refusal
from ptychopinn.io.stored_patterns import stored_in_hdf5
from ptychopinn.scan import Scan

#: Stands for a file of no known layout, all of which ``--map`` names.
_ANY = Layout(name="named by --map", patterns=())


def is_facility_hdf5(path: str | Path) -> bool:
    """Tell whether a file is HDF5 with frames where a known facility keeps them."""
    if container(path) != "hdf5":
        return False
    with opened_hdf5(path) as file:
        return _layout(file) is not _ANY


def is_nxptycho(path: str | Path) -> bool:
    """Tell whether a file says that it is NXptycho."""
    if container(path) != "hdf5":
        return False
    with opened_hdf5(path) as file:
        return nxptycho_layout(file) is not None


def facility_files(path: Path) -> tuple[Path, ...]:
    """Return the file and those that its frames are linked to."""
    with opened_hdf5(path) as file:
        keys = _frame_keys(file, _layout(file))
        there = [file[key] for key in keys if first_dataset(file, [key])]
        parts = {Path(dataset.file.filename) for dataset in there}
    return (path, *sorted(part for part in parts if part.resolve() != path.resolve()))


def read_facility_hdf5(path: str | Path, data: DataConfig) -> Scan:
    """Read frames and positions from where the facility, or ``--map``, says they are.

    Frames stay on disk, also in the files that a Dectris master links to. Positions are of the
    probe along rows and columns of the frames; `scan_axes` turns others.

    Args:
        path: The file.
        data: `map` names datasets and overrides numbers; the others what their help says.

    Raises:
        DataError: What `as_scan` refuses; frames, positions, energy, distance or pixel size are
            missing or absurd; the sentence names datasets that may be meant.
    """
    said = parse_map(data.map)
    with MappedFiles(path) as files:
        layout = _layout(files.main)
        found = _measured(files, layout, said)
    return as_scan(found, data)


def _layout(file: h5py.File) -> Layout:
    found = nxptycho_layout(file)
    if found is not None:
        return found
    return next((known for known in LAYOUTS if _frame_keys(file, known)), _ANY)


def _frame_keys(file: h5py.File, layout: Layout) -> list[str]:
    """Return the datasets of the first place that has frames."""
    for place in layout.patterns:
        folder, _, name = place.rpartition("/")
        group = file.get(folder) if folder else file
        if not isinstance(group, h5py.Group):
            continue
        names = sorted(fnmatch.filter(group, name))
        keys = [f"{folder}/{found}" if folder else found for found in names]
        if "*" not in name:
            keys = [key for key in keys if first_dataset(file, [key]) and file[key].ndim >= 3]
        if keys:
            return keys
    return []


def _measured(files: MappedFiles, layout: Layout, said: FileMap) -> Measurement:
    items = _frames(files, layout, said)
    patterns = stored_in_hdf5(files.path, [item.dataset for item in items])
    raster = items[0].dataset.shape[:-2] if len(items) == 1 else (len(patterns),)
    positions = read_positions(files, layout, said, raster)
    paired = _paired(files, said, layout, len(patterns), positions.values)
    geometry, sentences = _geometry(files, layout, said)
    return Measurement(
        path=files.path,
        patterns=chosen_patterns(patterns, paired.rows),
        patterns_key=items[0].key,
        stage=Stage(paired.positions, positions.key, geometry),
        center=_center(files, layout),
        probe=_read(files, said, "probe", layout.probe, "iufc", (2, 3, 4)),
        marked=_marked(files, layout, said),
        domain=layout.domain,
        decisions=(
            f"Layout: {layout.name}.",
            *(*sentences, *positions.decisions, *paired.decisions),
        ),
    )


def _frames(files: MappedFiles, layout: Layout, said: FileMap) -> list[Item]:
    place = said.place("patterns")
    if place is not None:
        return [files.item(place)]
    keys = _frame_keys(files.main, layout)
    missing = [key for key in keys if first_dataset(files.main, [key]) is None]
    if missing:
        raise _part_missing(files, missing[0])
    if keys:
        return [Item(files.main, files.path, key) for key in keys]
    raise refusal(
        files.path,
        "patterns",
        f"datasets with three axes: {listed(_with_frames(files.main)) or '(none)'}",
        "the measured patterns",
        'name them: --map "patterns=PLACE positions=PLACE energy=8keV distance=2m pixel=75um"',
    )


def _part_missing(files: MappedFiles, key: str) -> Exception:
    link = files.main.get(key, getlink=True)
    where = link.filename if isinstance(link, h5py.ExternalLink) else "another place"
    return refusal(
        files.path, key, f"a link to {where}, where nothing is", "its frames",
        "copy that file beside this one",
    )  # fmt: skip


def _with_frames(file: h5py.File) -> list[str]:
    return [
        name
        for name, item in objects_in(file)
        if isinstance(item, h5py.Dataset) and item.ndim in (3, 4)
    ]


def _paired(
    files: MappedFiles, said: FileMap, layout: Layout, count: int, positions: np.ndarray
) -> Pairing:
    """Pair patterns and positions by their numbers where there are some."""

    def numbers(name: str, key: str | None) -> np.ndarray | None:
        return _read(files, said, name, (key,) if key else (), "iuf", (1,))

    patterns = numbers("indexes", layout.indexes)
    stages = numbers("position_indexes", layout.position_indexes)
    if stages is not None and patterns is None:
        patterns = np.arange(count)
    if patterns is not None and stages is None and len(patterns) != len(positions):
        stages = np.arange(len(positions))
    if patterns is None:
        patterns = np.arange(count)
    counted = (("indexes", patterns, count), ("position_indexes", stages, len(positions)))
    for name, array, wanted in counted:
        if array is not None and len(array) != wanted:
            raise refusal(
                files.path, name, f"{len(array)} numbers", f"{wanted}", "name another dataset"
            )
    return pair_by_index(files.path, patterns, stages, positions)


def _geometry(files: MappedFiles, layout: Layout, said: FileMap) -> tuple[Geometry, list[str]]:
    """Return wavelength, distance and pixel, as ``--map`` or else the file says them."""
    sentences: list[str] = []

    def read(what: str, name: str, fields: tuple[tuple[str, str], ...]) -> float | None:
        if said.number(what) is not None:
            return None
        place = said.place(name)
        if place is not None:
            item = files.item(place)
            value, more = read_quantity(item.file, item.path, [item.key], what, _USUAL[what])
            sentences.extend(more)
            return value
        for key, usual in fields:
            value, more = read_quantity(files.main, files.path, [key], what, usual)
            if value is not None:
                sentences.extend(more)
                return value
        return None

    wavelength = said.wavelength_m
    if wavelength is None:
        energy = read("energy", "energy", layout.energy)
        direct = read("wavelength", "wavelength", layout.wavelength)
        wavelength = direct or (said.of_energy(energy) if energy else None)
    height = read("pixel", "pixel", layout.pixel[0])
    width = read("pixel", "pixel", layout.pixel[1])
    pixel = (height, width) if height and width else None
    of_file = Geometry(wavelength, read("distance", "distance", layout.distance), pixel)
    return said.geometry(of_file), list(dict.fromkeys(sentences))


#: Units of a dataset that the user names, when it has none.
_USUAL = {"energy": "eV", "wavelength": "m", "distance": "m", "pixel": "m"}


def _center(files: MappedFiles, layout: Layout) -> tuple[float, float] | None:
    """Return the direct beam (row, column); some masters have zeros for what was not set."""
    if layout.center is None:
        return None
    values = []
    for key in layout.center:
        if first_dataset(files.main, [key]) is None or files.main[key].size != 1:
            return None
        values.append(float(np.asarray(files.main[key][()]).reshape(-1)[0]))
    return (values[0], values[1]) if all(value > 0 for value in values) else None


def _marked(files: MappedFiles, layout: Layout, said: FileMap) -> np.ndarray | None:
    """Return True = bad, or nothing where no mask is known."""
    bad = _read(files, said, "mask", layout.bad, "biuf", (2,))
    good = _read(files, said, "good", layout.good, "biuf", (2,))
    if bad is not None:
        return bad != 0
    return None if good is None else good == 0


def _read(
    files: MappedFiles,
    said: FileMap,
    name: str,
    keys: tuple[str, ...],
    kinds: str,
    ranks: tuple[int, ...],
) -> np.ndarray | None:
    """Return the array that ``--map`` names, or the first of the layout; None without one."""
    place = said.place(name)
    if place is not None:
        item = files.item(place)
        return read_dataset(item.file, item.path, item.key, kinds=kinds, ranks=ranks)
    key = first_dataset(files.main, keys)
    if key is None:
        return None
    return read_dataset(files.main, files.path, key, kinds=kinds, ranks=ranks)
