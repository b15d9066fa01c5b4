"""An HDF5 file that appears whole or not at all, whatever fails while it is written.

HDF5 cannot bear a disk that fills up: what it could not flush it flushes again when it closes, and
the process dies. Its bytes therefore go through Python, which keeps a failure until HDF5 is done.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import h5py

from ptychopinn.io.atomic import replacing


class _PatientFile:
    """A file to write to that never fails; what went wrong is kept in ``failure``.

    After a failure nothing more is asked of the disk. What HDF5 goes on writing is kept in memory,
    for it may want to read it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self._late: list[tuple[int, bytes]] = []
        self.failure: OSError | KeyboardInterrupt | None = None

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, os.O_RDWR)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def __repr__(self) -> str:
        # HDF5 takes it for the name of the file.
        return str(self._path)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from the start or from the end."""
        start = 0 if whence == os.SEEK_SET else os.fstat(self._descriptor).st_size
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Return bytes; h5py knows a file by this name, and then asks `readinto`."""
        return os.pread(self._descriptor, max(size, 0), self._place)

    def readinto(self, buffer: memoryview) -> int:
        """Give back what was written, be it on the disk or not."""
        stored = os.pread(self._descriptor, len(buffer), self._place)
        buffer[: len(stored)] = stored
        end = self._place + len(buffer)
        for place, piece in self._late:
            first, last = max(place, self._place), min(place + len(piece), end)
            if first < last:
                wanted = piece[first - place : last - place]
                buffer[first - self._place : last - self._place] = wanted
        return len(buffer)

    def write(self, piece: memoryview) -> int:
        """Write all of a piece."""
        if self.failure is None:
            try:
                self._store(piece)
            except (OSError, KeyboardInterrupt) as error:
                self.failure = error
        if self.failure is not None:
            self._late.append((self._place, bytes(piece)))
        return len(piece)

    def _store(self, piece: memoryview) -> None:
        done = 0
        while done < len(piece):
            done += os.pwrite(self._descriptor, piece[done:], self._place + done)

    def truncate(self, size: int) -> int:
        """Cut or lengthen the file."""
        if self.failure is None:
            try:
                os.ftruncate(self._descriptor, size)
            except OSError as error:
                self.failure = error
        return size

    def flush(self) -> None:
        """Do nothing: nothing is held back."""


#: The files that are being written, by the name that HDF5 has for them.
_BEING_WRITTEN: dict[str, _PatientFile] = {}


@contextmanager
def written_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an empty HDF5 file that takes the place of ``path`` when the block succeeds.

    Raises:
        OutputError: The file cannot be written, a disk that fills up included.
    """
    with replacing(path) as beside, _PatientFile(beside) as patient:
        _BEING_WRITTEN[repr(patient)] = patient
        try:
            with h5py.File(patient, "w") as file:
                yield file
        finally:
            del _BEING_WRITTEN[repr(patient)]
            if patient.failure is not None:
                raise patient.failure


def require_disk(item: h5py.Dataset) -> None:
    """Raise what the disk refused of the file of a dataset; asked between pieces of a long writing.

    A file that `written_hdf5` did not open is not asked about.
    """
    patient = _BEING_WRITTEN.get(item.file.filename)
    if patient is not None and patient.failure is not None:
        raise patient.failure
