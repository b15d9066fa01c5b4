"""CXI files, the coherent X-ray imaging data bank's HDF5: cdtools, NXcxi_ptycho, ptychodus.

All is SI, energies are joules, the zero frequency is in the middle. A translation is that of the
sample, so that the probe moved by its negative; Ptychodus 1.7 writes it without the minus, which
the group ``entry_1/ptychodus`` gives away. The basis vectors of the detector tell in which
directions rows and columns run; without them they run to -y and -x.
"""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.file_map import FileMap, parse_map
from ptychopinn.io.geometry import Geometry
from ptychopinn.io.hdf5 import damage_refused, opened_hdf5, read_dataset
from ptychopinn.io.hdf5_fields import (
    first_dataset,
    length_unit,
    read_columns,
    read_quantity,
    read_text,
    require_pairs,
)
from ptychopinn.io.measurement import Measurement, Stage, as_scan
from ptychopinn.io.own_group import read_own_group, with_own_group
from ptychopinn.io.refusal import container, refusal
from ptychopinn.io.stored_patterns import StoredPatterns, stored_in_hdf5
from ptychopinn.scan import Scan

_INSTRUMENT = "entry_1/instrument_1"
_DETECTOR = f"{_INSTRUMENT}/detector_1"
PATTERN_KEYS = ("entry_1/data_1/data", f"{_DETECTOR}/data")
_POSITION_KEYS = (
    "entry_1/data_1/translation",
    "entry_1/sample_1/geometry_1/translation",
    f"{_DETECTOR}/translation",
    # As speckle-tracking writes it.
    "entry_1/sample_1/geometry/translation",
)
_PTYCHODUS = "entry_1/ptychodus"
_DEFINITION = "entry_1/definition"
#: What NXcxi_ptycho calls itself: its own schema wants the name of NXptycho.
DEFINITIONS = ("NXptycho", "NXcxi_ptycho")
_MASK_KEYS = (f"{_DETECTOR}/mask", f"{_DETECTOR}/pixel_mask")
#: Bit of a mask that means signal above the background, which is good.
_HAS_SIGNAL = 0x00001000


def is_cxi(path: str | Path) -> bool:
    """Tell whether a file is CXI: HDF5 with patterns in an ``entry_1``."""
    if container(path) != "hdf5":
        return False
    with opened_hdf5(path) as file:
        return first_dataset(file, PATTERN_KEYS) is not None


def is_nxcxi_ptycho(path: str | Path) -> bool:
    """Tell whether a file is NXcxi_ptycho: CXI that says it is NeXus ptychography, too."""
    if not is_cxi(path):
        return False
    with opened_hdf5(path) as file:
        return has_translation(file) and read_text(file, _DEFINITION) in DEFINITIONS


def read_cxi(path: str | Path, data: DataConfig) -> Scan:
    """Read a CXI file; its patterns stay on disk.

    Args:
        path: The file.
        data: `map` overrides energy, distance and pixel; the others what their help says.

    Raises:
        DataError: What `as_scan` refuses; translations, energy, distance or pixel size are missing
            or absurd, or there is not one translation for each pattern.
    """
    said_map = parse_map(data.map)
    with opened_hdf5(path) as file:
        key = first_dataset(file, PATTERN_KEYS)
        if key is None:
            raise refusal(path, PATTERN_KEYS[0], "nothing", "the patterns", "name another file")
        patterns, dark_said = _without_negatives(stored_in_hdf5(path, [file[key]]))
        basis = _basis(file, path)
        geometry, said = _geometry(file, path, basis, said_map)
        stage, turned_said = _stage(file, path, basis, geometry, said_map)
        found = Measurement(
            path=path,
            patterns=patterns,
            patterns_key=key,
            stage=stage,
            marked=_marked(file, path, key, patterns.shape[1:]),
            domain="counts",
            decisions=(*said, *turned_said, *dark_said),
        )
        found = with_own_group(found, read_own_group(file, path, "entry_1"), said_map)
    require_pairs(path, stage.key, len(patterns), len(stage.positions_m))
    return as_scan(found, data)


def _without_negatives(patterns: StoredPatterns) -> tuple[StoredPatterns, list[str]]:
    """Return patterns in which a subtracted dark left nothing below 0."""
    some = patterns[:: max(1, len(patterns) // 16)]
    if some.dtype.kind not in "if" or not (some < 0).any():
        return patterns, []
    said = "Negative counts, which a subtracted dark leaves, are read as 0."
    return patterns.without_negatives(), [said]


def _basis(file: h5py.File, path: str | Path) -> np.ndarray | None:
    """Return (2, 3) metres: the steps of a row and of a column; None when the file has none."""
    key = f"{_DETECTOR}/basis_vectors"
    if first_dataset(file, [key]) is None:
        return None
    stored = read_dataset(file, path, key, kinds="f", ranks=(2, 3)).astype(np.float64)
    stored = stored[0] if stored.ndim == 3 else stored
    basis = stored.T if stored.shape == (3, 2) else stored
    if basis.shape == (2, 3) and np.isfinite(basis).all() and np.linalg.norm(basis, axis=1).all():
        return basis
    raise refusal(
        path, key, f"shape {stored.shape}, or zeros", "two vectors", "correct or remove it"
    )


def _geometry(
    file: h5py.File, path: str | Path, basis: np.ndarray | None, said_map: FileMap
) -> tuple[Geometry, list[str]]:
    """Return wavelength, distance and pixel, as ``--map`` or else the file says them."""
    said: list[str] = []

    def read(keys: list[str], what: str, usual: str) -> float | None:
        if said_map.number(what) is not None:
            return None
        value, sentences = read_quantity(file, path, keys, what, usual)
        said.extend(sentences)
        return value

    wavelength = said_map.wavelength_m or read(
        [f"{_INSTRUMENT}/beam_1/incident_wavelength", f"{_INSTRUMENT}/source_1/wavelength"],
        *("wavelength", "m"),
    )
    if wavelength is None:
        energy = _energy(read)
        wavelength = None if energy is None else said_map.of_energy(energy)
    distance = read([f"{_DETECTOR}/distance"], "distance", "m")
    height, width = (
        read([f"{_DETECTOR}/{first}_pixel_size", f"{_DETECTOR}/{other}_pixel_size"], "pixel", "m")
        for first, other in (("y", "x"), ("x", "y"))
    )
    pixel = (height, width) if height and width else None
    if basis is not None:
        lengths = np.linalg.norm(basis, axis=1)
        pixel = (float(lengths[0]), float(lengths[1]))
    return said_map.geometry(Geometry(wavelength, distance, pixel)), list(dict.fromkeys(said))


def _energy(read: Callable[[list[str], str, str], float | None]) -> float | None:
    """Return the energy in eV; that of the source may be of the storage ring, the beam's counts."""
    names = ("incident_beam_energy", "incident_energy", "energy")
    beam = [f"{_INSTRUMENT}/beam_1/{name}" for name in names]
    energy = read(beam, "energy", "eV")
    return energy if energy is not None else read([f"{_INSTRUMENT}/source_1/energy"], "energy", "J")


def has_translation(file: h5py.File) -> bool:
    """Tell whether a file has translations, of sample or probe."""
    return first_dataset(file, _POSITION_KEYS) is not None


def read_translation(file: h5py.File, path: str | Path, *, in_metres: bool = True) -> np.ndarray:
    """Return (K, 2) or (K, 3) float64 translations (x, y, z), in metres or else as stored."""
    key = first_dataset(file, _POSITION_KEYS)
    if key is None:
        raise refusal(
            path, _POSITION_KEYS[0], "nothing", "translations of the sample",
            f'name them: --map "patterns={PATTERN_KEYS[0]} positions=PLACE"',
        )  # fmt: skip
    stored = read_columns(file, path, key)
    return stored * length_unit(file, path, key, "m")[0] if in_metres else stored


def _stage(
    file: h5py.File,
    path: str | Path,
    basis: np.ndarray | None,
    geometry: Geometry,
    said_map: FileMap,
) -> tuple[Stage, list[str]]:
    """Return positions of the probe along rows and columns of the detector."""
    translation = read_translation(file, path, in_metres="position_unit" not in said_map)
    key = first_dataset(file, _POSITION_KEYS) or _POSITION_KEYS[0]
    converted_said = [] if "position_unit" in said_map else length_unit(file, path, key, "m")[1]
    xyz = np.pad(translation, ((0, 0), (0, 3 - translation.shape[1])))
    if _PTYCHODUS in file:
        said = f"{key} are of the probe, as Ptychodus writes them."
        return Stage(xyz[:, [1, 0]], key, geometry), [said, *converted_said]
    if basis is None:
        basis = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])
    directions = basis / np.linalg.norm(basis, axis=1, keepdims=True)
    said = f"{key} are of the sample; the probe moved by their negative."
    return Stage(-xyz @ directions.T, key, geometry), [said, *converted_said]


def read_mask(file: h5py.File, path: str | Path) -> np.ndarray | None:
    """Return True = bad from the bit field in which 0 is good; None where there is none."""
    key = first_dataset(file, _MASK_KEYS)
    if key is None:
        return None
    with damage_refused(path):
        bits = read_dataset(file, path, key, kinds="biu", ranks=(2, 3))
    bits = bits[0] if bits.ndim == 3 else bits
    return (bits != 0) & (bits != _HAS_SIGNAL)


def _marked(
    file: h5py.File, path: str | Path, key: str, shape: tuple[int, ...]
) -> np.ndarray | None:
    """Return True = bad; refuses a mask of another shape than the patterns."""
    bad = read_mask(file, path)
    if bad is None or bad.shape == tuple(shape):
        return bad
    raise refusal(
        path, first_dataset(file, _MASK_KEYS) or key, f"shape {bad.shape}",
        f"{tuple(shape)}, as the patterns", "correct it, or use --bad-pixels none",
    )  # fmt: skip
