"""The probe of any file that has one."""

from pathlib import Path

import numpy as np

from ptychopinn.io.archive import Archive
from ptychopinn.io.complex_array import as_probe
from ptychopinn.io.product import read_product_probe
from ptychopinn.io.ptylab_result import is_ptylab_result, read_ptylab_probe
from ptychopinn.io.refusal import container, first_bytes, missing, refusal

_KEYS = ("probe", "probeGuess")


def read_probe(path: str | Path) -> np.ndarray:
    """Return the probe (P, N, N) complex64 of an NPZ or of a product.

    An NPZ has it under ``probe`` or ``probeGuess``, a product, a ``_para`` file or a reconstruction
    of PtyLab (HDF5) in the dataset ``probe``; of several coherent probes, or of several patterns'
    (tike), the first is used.

    Raises:
        DataError: The file is neither, has no probe, or the probe is no (P, N, N) with power.
    """
    kind = container(path)
    if kind == "hdf5" and is_ptylab_result(path):
        return as_probe(path, "probe", read_ptylab_probe(path))
    if kind == "hdf5":
        return read_product_probe(path)
    if kind == "npz":
        archive = Archive(path)
        for key in _KEYS:
            if key in archive:
                probe = archive.read(key)
                several = probe.ndim > 4 and probe.size > 0
                return as_probe(
                    path, key, probe.reshape(-1, *probe.shape[-3:])[0] if several else probe
                )
        raise missing(path, _KEYS[-1], archive.keys())
    raise refusal(
        path,
        "",
        f"a file that starts with {first_bytes(path)}",
        "an NPZ with probe or probeGuess, or a product in HDF5",
        "name another file",
    )
