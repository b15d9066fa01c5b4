"""Scans written as prepared data of ptypy (``.ptyd``)."""

from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.count_blocks import write_counts
from ptychopinn.io.geometry import photon_energy_ev
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.metric_scan import MetricScan, in_metres
from ptychopinn.io.own_group import write_own_group
from ptychopinn.scan import Scan


def write_ptyd(path: str | Path, scan: Scan) -> None:
    """Write a scan as one chunk of a ``.ptyd``, which `read_ptyd` reads to the same scan.

    Every dataset has the attribute ``type`` by which ptypy reads it. Amplitudes are squared, bad
    pixels are 0 and have the weight 0. The distance is that at which detector pixels of 75 um give
    the object pixels of the scan; where pixel size or wavelength are not known, nominal ones stand.
    Probe, canvas and truth are in ``info/ptychopinn``.

    Raises:
        OutputError: The file cannot be written; nothing is left half-written.
    """
    metric = in_metres(scan)
    with written_hdf5(path) as file:
        file.attrs["h5rw_version"] = "0.1"
        chunk = _group(_group(file, "chunks"), "0")
        write_counts(chunk, "data", scan).attrs["type"] = "array"
        weights = np.broadcast_to(scan.mask.astype(np.uint8), (scan.n_patterns, scan.n, scan.n))
        made = chunk.create_dataset("weights", weights.shape, np.uint8, compression="gzip")
        for number, frame in enumerate(weights):
            made[number] = frame
        made.attrs["type"] = "array"
        _put(chunk, "positions", metric.positions_m, "array")
        _put(chunk, "indices", np.arange(scan.n_patterns), "arraylist")
        _write_meta(_group(file, "meta"), scan, metric)
        write_own_group(_group(file, "info"), scan, metric)


def _write_meta(meta: h5py.Group, scan: Scan, metric: MetricScan) -> None:
    n = scan.n
    _put(meta, "version", "0.1", "string")
    _put(meta, "label", Path(scan.name).stem or "scan", "string")
    _put(meta, "num_frames", scan.n_patterns, "scalar")
    _put(meta, "shape", np.array([n, n]), "array")
    _put(meta, "center", np.array([n // 2, n // 2], dtype=float), "array")
    _put(meta, "psize", np.full(2, metric.detector_pixel_m), "array")
    _put(meta, "energy", photon_energy_ev(metric.wavelength_m) / 1000, "scalar")
    _put(meta, "distance", metric.distance_m, "scalar")


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    made = parent.create_group(name)
    made.attrs["type"] = "dict"
    return made


def _put(group: h5py.Group, name: str, value: object, kind: str) -> None:
    group[name] = value
    group[name].attrs["type"] = kind
