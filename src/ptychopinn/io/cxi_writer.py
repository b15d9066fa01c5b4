"""Scans written as CXI files that cdtools and others read."""

from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.count_blocks import write_counts
from ptychopinn.io.geometry import ENERGIES_EV, photon_energy_ev
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.metric_scan import MetricScan, in_metres
from ptychopinn.io.own_group import write_own_group
from ptychopinn.scan import Scan


def write_cxi(path: str | Path, scan: Scan) -> None:
    """Write a scan as CXI 1.6, which `read_cxi` reads to the same scan.

    Rows of the detector run to -y and columns to -x, as cdtools has it by default; translations are
    those of the sample, the negative of the probe's. Amplitudes are squared, bad pixels are 0
    and have a bit in the mask. The distance is that at which detector pixels of 75 um give the
    object pixels of the scan; where pixel size or wavelength are not known, nominal ones stand.
    Probe, canvas and truth, which CXI has no place for, are in ``entry_1/ptychopinn``.

    Raises:
        OutputError: The file cannot be written; nothing is left half-written.
    """
    metric = in_metres(scan)
    with written_hdf5(path) as file:
        fill_cxi(file, scan, metric)
        source = file["entry_1/instrument_1/source_1"]
        source["energy"] = photon_energy_ev(metric.wavelength_m) / ENERGIES_EV["j"]


def fill_cxi(file: h5py.File, scan: Scan, metric: MetricScan) -> None:
    """Write into an empty file that is open what CXI and NXcxi_ptycho have in common."""
    file["cxi_version"] = 160
    file["number_of_entries"] = 1
    entry = file.create_group("entry_1")
    instrument = entry.create_group("instrument_1")
    instrument["source_1/wavelength"] = metric.wavelength_m
    detector = instrument.create_group("detector_1")
    _write_detector(detector, scan, metric)
    y, x = metric.positions_m.T
    sample = entry.create_group("sample_1/geometry_1")
    sample["translation"] = np.stack([x, y, np.zeros_like(x)], axis=1)
    links = entry.create_group("data_1")
    links["data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
    for group in (links, detector):
        group["translation"] = h5py.SoftLink("/entry_1/sample_1/geometry_1/translation")
    write_own_group(entry, scan, metric)


def _write_detector(detector: h5py.Group, scan: Scan, metric: MetricScan) -> None:
    pixel = metric.detector_pixel_m
    detector["distance"] = metric.distance_m
    detector["x_pixel_size"] = pixel
    detector["y_pixel_size"] = pixel
    detector["basis_vectors"] = np.array([[0.0, -pixel, 0.0], [-pixel, 0.0, 0.0]])
    detector["mask"] = (~scan.mask).astype(np.uint32)
    patterns = write_counts(detector, "data", scan)
    patterns.attrs["axes"] = "translation:y:x"
