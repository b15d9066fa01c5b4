"""Positions of a scan in HDF5 files of facilities, in metres, whatever they are stored in."""

from collections.abc import Sequence
from typing import NamedTuple

import h5py
import numpy as np

from ptychopinn.io.facility_layouts import Field, Layout
from ptychopinn.io.file_map import FileMap
from ptychopinn.io.hdf5 import objects_in, read_dataset
from ptychopinn.io.hdf5_fields import first_dataset, length_unit, read_columns
from ptychopinn.io.mapped_files import Item, MappedFiles
from ptychopinn.io.refusal import listed, refusal


class Positions(NamedTuple):
    """Where the probe stood."""

    values: np.ndarray
    """(M, 2) float64 (y, x): metres, or as stored when ``--map position_unit`` says the unit."""
    key: str
    decisions: list[str]


def read_positions(
    files: MappedFiles, layout: Layout, said: FileMap, raster: tuple[int, ...]
) -> Positions:
    """Return the positions that ``--map`` names, or else those of the layout.

    Args:
        files: The open files.
        layout: Where the facility keeps them.
        said: What ``--map`` says.
        raster: Lengths of the axes of the patterns before the last two; the positions of a raster
            (slow, fast) may be one vector an axis.

    Raises:
        DataError: There are none; the sentence names datasets that may be meant.
    """
    place = said.place("positions")
    if place is not None:
        item = files.item(place)
        stored = read_columns(item.file, item.path, item.key)
        first_is_x = stored.shape[1] == 3 or said.word("order", "yx") == "xy"
        values = stored[:, [1, 0]] if first_is_x else stored
        factor, sentences = _unit(item, said, "m")
        return Positions(values * factor, item.key, sentences)
    y, x = (_vector(files, layout, said, axis) for axis in ("y", "x"))
    if y is not None and x is not None:
        return _of_two(y, x, said, raster)
    for key, usual in layout.points:
        if first_dataset(files.main, [key]) is not None:
            stored = read_columns(files.main, files.path, key)
            factor, sentences = _unit(Item(files.main, files.path, key), said, usual)
            first_is_x = said.word("order", layout.order) == "xy"
            values = stored[:, [1, 0]] if first_is_x else stored[:, :2]
            return Positions(values * factor, key, sentences)
    raise _none_found(files, int(np.prod(raster)))


def _vector(
    files: MappedFiles, layout: Layout, said: FileMap, axis: str
) -> tuple[Item, str] | None:
    """Return the dataset of an axis and its usual unit, or nothing."""
    place = said.place(axis)
    if place is not None:
        return files.item(place), "m"
    fields: Sequence[Field] = getattr(layout, axis)
    for key, usual in fields:
        if first_dataset(files.main, [key]) is not None:
            return Item(files.main, files.path, key), usual
    return None


def _of_two(
    y: tuple[Item, str], x: tuple[Item, str], said: FileMap, raster: tuple[int, ...]
) -> Positions:
    columns, sentences = [], []
    for item, usual in (y, x):
        stored = read_dataset(item.file, item.path, item.key, kinds="iuf", ranks=(1, 2))
        factor, sentence = _unit(item, said, usual)
        columns.append(stored.astype(np.float64).ravel() * factor)
        sentences += sentence
    key = f"{y[0].key}, {x[0].key}"
    if len(raster) == 2 and tuple(map(len, columns)) == tuple(raster):
        columns = [axis.ravel() for axis in np.meshgrid(*columns, indexing="ij")]
    if len(columns[0]) != len(columns[1]):
        raise refusal(
            y[0].path, key, f"{len(columns[0])} y and {len(columns[1])} x", "equal numbers",
            "name two datasets of the same scan",
        )  # fmt: skip
    return Positions(np.stack(columns, axis=1), key, sentences)


def _unit(item: Item, said: FileMap, usual: str) -> tuple[float, list[str]]:
    """Return what one unit is in metres, and a sentence about it; 1 where the user says it."""
    if "position_unit" in said:
        return 1.0, []
    return length_unit(item.file, item.path, item.key, usual)


def _none_found(files: MappedFiles, count: int) -> Exception:
    fitting = [
        name
        for name, item in objects_in(files.main)
        if isinstance(item, h5py.Dataset)
        and item.ndim in (1, 2)
        and count in item.shape
        and item.dtype.kind in "iuf"
    ]
    found = f"datasets of {count} numbers: {listed(fitting)}" if fitting else "none in this file"
    return refusal(
        files.path,
        "positions",
        found,
        "a position for each pattern",
        'name them: --map "y=PLACE x=PLACE" (or positions=PLACE; in another file: '
        "positions=FILE:PLACE)",
    )
