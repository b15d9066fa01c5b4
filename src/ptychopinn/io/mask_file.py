"""Which detector pixels a file marks as bad: the scan's own array, or a file beside it."""

from pathlib import Path

import numpy as np

from ptychopinn.io.archive import Archive
from ptychopinn.io.npy_file import mapped_npy
from ptychopinn.io.refusal import container, first_bytes, missing, refusal

#: Keys of a file of its own, and whether True means bad in it.
_KEYS = {"bad_pixels": True, "mask": False}
_NPY_START = b"\x93NUMPY"


def read_bad_pixels(archive: Archive, n: int) -> np.ndarray:
    """Return (N, N) bool, True = bad, from ``bad_pixels`` of a scan; all False without it."""
    key = "bad_pixels"
    if key not in archive:
        return np.zeros((n, n), dtype=bool)
    member = archive.member(key)
    _require_mask(archive.path, key, member.shape, member.dtype, (n, n))
    return _marked(archive.path, key, archive.read(key), true_is_bad=True)


def read_mask_file(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """Return (rows, columns) bool, True = bad, of stored frames from a file that marks pixels.

    An NPY file has True = bad; an NPZ file has ``bad_pixels`` (True = bad) or ``mask`` (True =
    good), and the first that is there counts.

    Raises:
        DataError: The file is neither, has another shape or type, or leaves no good pixel.
    """
    if container(path) == "npz":
        archive = Archive(path)
        for key, true_is_bad in _KEYS.items():
            if key in archive:
                member = archive.member(key)
                _require_mask(path, key, member.shape, member.dtype, shape)
                return _marked(path, key, archive.read(key), true_is_bad=true_is_bad)
        raise missing(path, "bad_pixels", archive.keys())
    with Path(path).open("rb") as file:
        if file.read(len(_NPY_START)) != _NPY_START:
            raise refusal(
                path,
                "",
                f"a file that starts with {first_bytes(path)}",
                "an NPY or NPZ file that marks bad pixels",
                "save one with numpy.save",
            )
    stored = mapped_npy(path)
    _require_mask(path, "", stored.shape, stored.dtype, shape)
    return _marked(path, "", np.asarray(stored), true_is_bad=True)


def _require_mask(
    path: str | Path, key: str, shape: tuple[int, ...], dtype: np.dtype, wanted: tuple[int, int]
) -> None:
    if shape != wanted or dtype.kind not in "biu":
        raise refusal(
            path,
            key,
            f"shape {shape} of type {dtype}",
            f"{wanted} bool, True = {'good' if key == 'mask' else 'bad'}",
            "save one mask for all patterns",
        )


def _marked(path: str | Path, key: str, stored: np.ndarray, *, true_is_bad: bool) -> np.ndarray:
    marked = (stored != 0) == true_is_bad
    if marked.all():
        raise refusal(
            path,
            key,
            "every pixel bad",
            f"{'True = bad' if true_is_bad else 'True = good'} for some",
            "invert the mask",
        )
    return marked
