"""The training file of Ptychodus 1.7.0 (HDF5): patterns, probe, object and positions in one.

Positions are pixels of the object and mean the middle of the probe window, (N - 1) / 2.
"""

from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_frame import exact_frame, from_window_middle
from ptychopinn.io.metric_product import (
    HC_EV_M,
    read_coherent_probe,
    read_layer,
    require_as_many,
    usable_truth,
)
from ptychopinn.io.named_arrays import NamedArrays, opened_arrays, positive
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.ptychodus_scan import read_marked, require_square
from ptychopinn.io.refusal import container, refusal
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_POSITIONS = ("probe_position_y_px", "probe_position_x_px")


def is_ptychodus_training(path: str | Path) -> bool:
    """Tell whether a file is a training file of Ptychodus."""
    if container(path) is None:
        return False
    with opened_arrays(path) as arrays:
        return all(key in arrays for key in ("patterns", *_POSITIONS))


def read_ptychodus_training(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a training file of Ptychodus.

    Raises:
        DataError: An array is missing, damaged or does not belong to the others; or what
            `as_scan` refuses.
    """
    with opened_arrays(path) as arrays:
        return as_scan(_measured(path, arrays, data), data)


def _measured(path: str | Path, arrays: NamedArrays, data: DataConfig) -> Measurement:
    shape, dtype = arrays.header("patterns")
    require_pattern_header(path, "patterns", shape, dtype)
    require_square(path, "patterns", shape)
    image, image_said = read_layer(arrays, "object")
    middles = _read_middles(arrays, shape[0])
    what, canvas = ", ".join(_POSITIONS), (image.shape[0], image.shape[1])
    frame = exact_frame(path, what, from_window_middle(middles, shape[2]), shape[2], canvas)
    truth, truth_said = usable_truth("object", image) if frame.on_object else (None, [])
    probe, probe_said = read_coherent_probe(arrays)
    energy_ev = positive(arrays, "photon_energy_eV")
    return Measurement(
        path=path,
        patterns=arrays.patterns("patterns"),
        patterns_key="patterns",
        frame=frame,
        probe=None if data.probe is not None else probe,
        marked=read_marked(arrays, shape[2]),
        domain="counts",
        truth=truth,
        pixel_size_m=positive(arrays, "object_pixel_width_m"),
        wavelength_m=HC_EV_M / energy_ev if energy_ev else None,
        decisions=(
            "Positions, middles of the probe windows, became positions of the centre pixel.",
            *(*image_said, *probe_said, *truth_said),
        ),
    )


def _read_middles(arrays: NamedArrays, count: int) -> np.ndarray:
    """Return (K, 2) float64 (y, x) in pixels of the object."""
    columns = [arrays.read(key, kinds="iuf", ranks=(1,)) for key in _POSITIONS]
    require_as_many(arrays.path, ", ".join(_POSITIONS), *(len(column) for column in columns))
    if len(columns[0]) != count:
        raise refusal(
            arrays.path,
            ", ".join(_POSITIONS),
            f"{len(columns[0])} positions and {count} patterns",
            "as many positions as patterns",
            "export the training data again",
        )
    return np.stack(columns, axis=1).astype(np.float64)
