"""The complex image that a reconstruction is compared with."""

from pathlib import Path

import numpy as np

from ptychopinn.io.archive import Archive
from ptychopinn.io.complex_array import is_constant, require_object_header
from ptychopinn.io.product import read_product_object
from ptychopinn.io.ptylab_result import is_ptylab_result, read_ptylab_object
from ptychopinn.io.refusal import container, first_bytes, refusal

_KEYS = ("object", "objectGuess", "psi")


def read_reference(path: str | Path) -> np.ndarray:
    """Return a reference object (H, W) complex64.

    It is the array ``object``, ``objectGuess`` or ``psi`` of an NPZ, so that a simulated scan is
    its own reference, the first layer of the object of a product or of a ``_para`` file (HDF5), or
    that of a reconstruction of PtyLab.

    Raises:
        DataError: The file is neither, has no object, or the object is no (H, W), constant, or
            not finite, so that nothing can be compared with it.
    """
    kind = container(path)
    if kind == "hdf5" and is_ptylab_result(path):
        return _usable(path, "object", read_ptylab_object(path))
    if kind == "hdf5":
        return _usable(path, "object", read_product_object(path))
    if kind == "npz":
        archive = Archive(path)
        key = next((key for key in _KEYS if key in archive), _KEYS[1])
        member = archive.member(key)
        shape = require_object_header(path, key, member.shape, member.dtype)
        return _usable(path, key, archive.read(key).reshape(shape).astype(np.complex64))
    raise refusal(
        path,
        "",
        f"a file that starts with {first_bytes(path)}",
        "an NPZ with object or objectGuess, or a product in HDF5",
        "name another file",
    )


def _usable(path: str | Path, key: str, image: np.ndarray) -> np.ndarray:
    if not np.isfinite(image).all():
        raise refusal(path, key, "NaN or infinity", "finite values", "give another reference")
    if is_constant(image):
        raise refusal(path, key, "the same value everywhere", "an image", "give another reference")
    return image
