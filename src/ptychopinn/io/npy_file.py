"""One array in an NPY file, looked at without reading it and without pickle."""

import tokenize
from pathlib import Path

import numpy as np

from ptychopinn.io.refusal import refusal, said_briefly

#: What damaged bytes make the parser of NPY headers raise.
_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    TypeError,
    KeyError,
    SyntaxError,
    tokenize.TokenError,
    OverflowError,
    RecursionError,
    MemoryError,
)


def mapped_npy(path: str | Path) -> np.memmap:
    """Return the array of an NPY file; it stays on disk.

    Raises:
        DataError: The file is damaged, or holds Python objects.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except _DAMAGE as error:
        raise refusal(
            path,
            "",
            f"damage ({said_briefly(error)})",
            "an intact NPY file of plain numbers",
            "copy or make the file again",
        ) from error
