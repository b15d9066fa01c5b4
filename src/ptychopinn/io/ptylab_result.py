"""Reconstructions that PtyLab saved (HDF5): object and probe of six axes.

The axes are wavelength, object mode, probe mode, slice, y, x.
"""

from pathlib import Path

import numpy as np

from ptychopinn.io.named_arrays import opened_arrays
from ptychopinn.io.refusal import container


def is_ptylab_result(path: str | Path) -> bool:
    """Tell whether a file is a reconstruction that PtyLab saved (object and probe of six axes)."""
    if container(path) != "hdf5":
        return False
    with opened_arrays(path) as arrays:
        return any(key in arrays and len(arrays.header(key)[0]) == 6 for key in ("object", "probe"))


def read_ptylab_object(path: str | Path) -> np.ndarray:
    """Return the object (H, W) complex64 of a reconstruction of PtyLab: first of all its axes."""
    with opened_arrays(path) as arrays:
        image = arrays.read("object", kinds="cf", ranks=(2, 3, 6))
    return image.reshape(-1, *image.shape[-2:])[0].astype(np.complex64)


def read_ptylab_probe(path: str | Path) -> np.ndarray:
    """Return the probe (P, N, N) as a reconstruction of PtyLab has it, at the first wavelength."""
    with opened_arrays(path) as arrays:
        probe = arrays.read("probe", kinds="cf", ranks=(2, 3, 6))
    return probe[0, 0, :, 0] if probe.ndim == 6 else probe
