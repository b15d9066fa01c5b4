"""The file of a scan together with the other files that ``--map`` names."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import h5py

from ptychopinn.io.file_map import Place
from ptychopinn.io.hdf5 import objects_in, opened_hdf5
from ptychopinn.io.refusal import missing


class Item(NamedTuple):
    """A dataset in one of the files."""

    file: h5py.File
    path: Path
    key: str

    @property
    def dataset(self) -> h5py.Dataset:
        """The open dataset."""
        return self.file[self.key]


class MappedFiles:
    """HDF5 files that are open together; the other files lie beside the first or where they say."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._open: dict[Path, h5py.File] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the file of the scan."""
        self._opened(self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Close all; damage that was met becomes the one sentence."""
        return self._stack.__exit__(kind, error, trace)

    @property
    def main(self) -> h5py.File:
        """The file of the scan."""
        return self._open[self.path]

    def item(self, place: Place) -> Item:
        """Return a dataset that was named; refuses one that is not there."""
        path = self.path
        if place.file is not None:
            beside = self.path.parent / place.file
            path = beside if beside.exists() else place.file
        file = self._opened(path)
        if not isinstance(file.get(place.key), h5py.Dataset):
            raise missing(path, place.key, _datasets(file))
        return Item(file, path, place.key)

    def _opened(self, path: Path) -> h5py.File:
        if path not in self._open:
            self._open[path] = self._stack.enter_context(opened_hdf5(path))
        return self._open[path]


def _datasets(file: h5py.File) -> list[str]:
    return [name for name, item in objects_in(file) if isinstance(item, h5py.Dataset)]
