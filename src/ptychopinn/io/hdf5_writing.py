"""An HDF5 file that appears whole or not at all, whatever fails while it is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from ptychopinn.errors import OutputError
from ptychopinn.io.atomic import replacing
from ptychopinn.io.refusal import said_briefly


@contextmanager
def written_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an empty HDF5 file that takes the place of ``path`` when the block succeeds.

    Raises:
        OutputError: The file cannot be written, a disk that fills up included.
    """
    with replacing(path) as beside:
        try:
            with h5py.File(beside, "w") as file:
                yield file
        except RuntimeError as error:  # how HDF5 reports a disk that fills up while closing
            raise OutputError(
                f"{path}: cannot be written: found '{said_briefly(error)}', wanted room for the "
                "file; make room there or choose another place."
            ) from error
