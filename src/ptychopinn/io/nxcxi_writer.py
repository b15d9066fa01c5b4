"""Scans written as NXcxi_ptycho, which programs of NeXus and of CXI read alike."""

from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.cxi import DEFINITIONS
from ptychopinn.io.cxi_writer import fill_cxi
from ptychopinn.io.geometry import photon_energy_ev
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.metric_scan import MetricScan, in_metres
from ptychopinn.scan import Scan

_CLASSES = {
    "": "NXentry",
    "/instrument_1": "NXinstrument",
    "/instrument_1/source_1": "NXsource",
    "/instrument_1/beam_1": "NXbeam",
    "/instrument_1/detector_1": "NXdetector",
    "/sample_1": "NXsample",
    "/sample_1/geometry_1": "NXcollection",
    "/sample_1/transformations": "NXtransformations",
    "/sample_1/positioner_1": "NXpositioner",
    "/sample_1/positioner_2": "NXpositioner",
    "/data_1": "NXcollection",
    "/data": "NXdata",
}
_METRES = (
    *("distance", "x_pixel_size", "y_pixel_size", "basis_vectors", "beam_center_x"),
    "beam_center_y",
)


def write_nxcxi_ptycho(path: str | Path, scan: Scan) -> None:
    """Write a scan as NXcxi_ptycho, which `read_cxi` reads to the same scan.

    What `write_cxi` writes, with NeXus classes, units, the energy of the beam in eV, and the motors
    of the sample as transformations and positioners. Divergence, extent and spread of the beam and
    the energy of the ring, which the schema asks for, are left out: a scan does not know them.

    Raises:
        OutputError: The file cannot be written; nothing is left half-written.
    """
    metric = in_metres(scan)
    with written_hdf5(path) as file:
        fill_cxi(file, scan, metric)
        file.attrs["default"] = "entry_1"
        entry = file["entry_1"]
        entry["title"] = Path(scan.name).stem or "scan"
        entry["definition"] = DEFINITIONS[0]
        _write_instrument(entry["instrument_1"], scan, metric)
        _write_motors(entry["sample_1"])
        _write_plot(entry)
        for place, name in _CLASSES.items():
            file[f"entry_1{place}"].attrs["NX_class"] = name


def _write_instrument(instrument: h5py.Group, scan: Scan, metric: MetricScan) -> None:
    instrument["source_1/wavelength"].attrs["units"] = "m"
    for name in ("incident_beam_energy", "energy"):
        _put(instrument, f"beam_1/{name}", photon_energy_ev(metric.wavelength_m), "eV")
    detector = instrument["detector_1"]
    for axis in "xy":
        detector[f"beam_center_{axis}"] = scan.n // 2 * metric.detector_pixel_m
    for name in _METRES:
        detector[name].attrs["units"] = "m"
    detector.attrs.update({"signal": "data", "axes": "[, data]"})
    detector["data"].attrs["signal"] = 1


def _write_motors(sample: h5py.Group) -> None:
    """Write x and y of the sample, from its translation, where NeXus looks for them."""
    translation = sample["geometry_1/translation"]
    translation.attrs.update({"units": "m", "axes": "translation:y:x", "interpretation": "image"})
    xyz = translation[()]
    for number, axis in enumerate("xy"):
        moved = _put(sample, f"transformations/{axis}", xyz[:, number], "m")
        moved.attrs["vector"] = np.eye(3)[number]
        moved.attrs["transformation_type"] = "translation"
        moved.attrs["depends_on"] = "." if axis == "x" else "x"
        place = f"positioner_{number + 1}"
        sample[f"{place}/name"] = f"sample_{axis}"
        sample[f"{place}/value"] = moved


def _write_plot(entry: h5py.Group) -> None:
    """Write the group that NeXus shows."""
    plot = entry.create_group("data")
    plot.attrs.update({"signal": "data", "axes": ["x", ".", "."], "x_indices": 0, "y_indices": 0})
    plot["data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
    for axis in "xy":
        plot[axis] = h5py.SoftLink(f"/entry_1/sample_1/transformations/{axis}")


def _put(group: h5py.Group, name: str, value: object, unit: str) -> h5py.Dataset:
    group[name] = value
    group[name].attrs["units"] = unit
    return group[name]
