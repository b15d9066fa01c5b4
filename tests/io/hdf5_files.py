"""HDF5 files of facilities and programs for the tests, all of one scan."""

from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

N, K = 16, 24
ENERGY_EV = 8000.0
WAVELENGTH_M = 1.5498024804150033e-10
DISTANCE_M = 2.0
DETECTOR_PIXEL_M = 75e-6
PIXEL_M = WAVELENGTH_M * DISTANCE_M / (N * DETECTOR_PIXEL_M)
_RNG = np.random.default_rng(3)
COUNTS = _RNG.poisson(30, (K, N, N)).astype(np.uint16)
#: (y, x) pixels, then metres, of the probe on the object.
POSITIONS_PX = np.stack(np.divmod(np.arange(K), 6), 1) * 2.5 + _RNG.uniform(0, 1, (K, 2))
POSITIONS_M = POSITIONS_PX * PIXEL_M


def hdf5(path: Path, items: dict[str, object], units: dict[str, str] | None = None) -> Path:
    """Write datasets by their paths, some with a unit."""
    with h5py.File(path, "w") as file:
        for key, value in items.items():
            file[key] = value
        for key, unit in (units or {}).items():
            file[key].attrs["units"] = unit
    return path


def dectris(folder: Path, frames: np.ndarray = COUNTS, **changes) -> Path:
    """A master with frames in files that it links to, compressed by the detector."""
    parts = np.array_split(frames, 3)
    for number, part in enumerate(parts):
        with h5py.File(folder / f"scan_data_{number + 1:06d}.h5", "w") as file:
            file.create_dataset(
                "entry/data/data", data=part, chunks=(1, *part.shape[1:]), **hdf5plugin.Bitshuffle()
            )
    detector = "entry/instrument/detector"
    items = {
        "entry/sample/transformations/y": POSITIONS_M[:, 0] * 1e6,
        "entry/sample/transformations/x": POSITIONS_M[:, 1] * 1e3,
        "entry/instrument/beam/incident_wavelength": WAVELENGTH_M * 1e10,
        f"{detector}/detector_distance": DISTANCE_M,
        f"{detector}/x_pixel_size": DETECTOR_PIXEL_M,
        f"{detector}/y_pixel_size": DETECTOR_PIXEL_M,
        f"{detector}/beam_center_x": frames.shape[2] // 2,
        f"{detector}/beam_center_y": frames.shape[1] // 2,
    }
    items.update(changes)
    items = {key: value for key, value in items.items() if value is not None}
    units = {"entry/sample/transformations/y": "um", "entry/sample/transformations/x": "mm"}
    path = hdf5(folder / "scan_master.h5", items, {k: u for k, u in units.items() if k in items})
    with h5py.File(path, "a") as file:
        for number in range(len(parts)):
            link = h5py.ExternalLink(f"scan_data_{number + 1:06d}.h5", "entry/data/data")
            file[f"entry/data/data_{number + 1:06d}"] = link
    return path


def nxptycho(folder: Path) -> Path:
    """Energy in keV, pixels in um, positions in um under names."""
    detector, sample = "entry_1/instrument_1/detector_1", "entry_1/sample_1"
    return hdf5(
        folder / "nx.h5",
        {
            "entry_1/definition": "NXptycho",
            "entry_1/instrument_1/beam_1/incident_energy": ENERGY_EV / 1000,
            f"{detector}/data": COUNTS,
            f"{detector}/distance": DISTANCE_M * 1000,
            f"{detector}/x_pixel_size": DETECTOR_PIXEL_M * 1e6,
            f"{detector}/y_pixel_size": DETECTOR_PIXEL_M * 1e6,
            f"{sample}/positioner_1/name": "sample_x",
            f"{sample}/positioner_1/raw_value": POSITIONS_M[:, 1] * 1e6,
            f"{sample}/positioner_2/name": "sample_y",
            f"{sample}/positioner_2/value": POSITIONS_M[:, 0] * 1e6,
            f"{sample}/positioner_2/raw_value": POSITIONS_M[:, 0] * 0,
        },
        {
            "entry_1/instrument_1/beam_1/incident_energy": "keV",
            f"{detector}/distance": "mm",
            f"{detector}/x_pixel_size": "um",
            f"{detector}/y_pixel_size": "um",
            f"{sample}/positioner_1/raw_value": "um",
            f"{sample}/positioner_2/value": "um",
        },
    )


def max_iv(folder: Path) -> Path:
    """Energy in eV; distance and pixel are not in the file."""
    return hdf5(
        folder / "nanomax.h5",
        {
            "entry/measurement/Eiger/data": COUNTS,
            "entry/measurement/pseudo/x": POSITIONS_M[:, 1] * 1e6,
            "entry/measurement/pseudo/y": POSITIONS_M[:, 0] * 1e6,
            "entry/snapshots/pre_scan/energy": ENERGY_EV,
        },
    )


def hxn(folder: Path) -> Path:
    """Amplitudes and positions (2, n) in um."""
    return hdf5(
        folder / "hxn.h5",
        {
            "diffamp": np.sqrt(COUNTS).astype(np.float64),
            "points": POSITIONS_M.T[::-1] * 1e6,
            "z_m": DISTANCE_M,
            "lambda_nm": WAVELENGTH_M * 1e9,
            "ccd_pixel_um": DETECTOR_PIXEL_M * 1e6,
        },
    )


def unknown(folder: Path) -> Path:
    """A file of no known kind: a raster on four axes, positions a vector an axis."""
    return hdf5(
        folder / "mine.h5",
        {
            "run/frames": COUNTS.reshape(4, 6, N, N),
            "run/fast": np.arange(6) * 3e-7,
            "run/slow": np.arange(4) * 2e-7,
            "run/both": POSITIONS_M[:, ::-1],
            "run/keV": ENERGY_EV / 1000,
            "run/bad": np.eye(N, dtype=np.uint8),
            "run/number": np.arange(K),
        },
        {"run/keV": "keV"},
    )
