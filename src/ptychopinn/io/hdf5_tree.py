"""What an HDF5 file holds, as a tree, without reading any array."""

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from ptychopinn.io.hdf5 import address_of, filter_names, opened_hdf5
from ptychopinn.io.hdf5_fields import unit_of

#: A group with more members than this is cut short: thousands of parts tell no more than some.
_MOST_MEMBERS = 24


class Branch(NamedTuple):
    """One member of a group."""

    name: str
    text: str
    """Shape, type, unit, small values, compression, or where a link leads."""
    members: tuple["Branch", ...] = ()


def hdf5_tree(path: str | Path) -> tuple[Branch, ...]:
    """Return all members of an HDF5 file; refuses what is missing or damaged."""
    with opened_hdf5(path) as file:
        return _members(file, set())


def _members(group: h5py.Group, seen: set[int]) -> tuple[Branch, ...]:
    """Return the members of a group; one that was met before is not followed again."""
    seen.add(address_of(group))
    names = list(group)
    shown = [_branch(group, name, seen) for name in names[:_MOST_MEMBERS]]
    if len(names) > _MOST_MEMBERS:
        shown.append(Branch("...", f"and {len(names) - _MOST_MEMBERS} more"))
    return tuple(shown)


def _branch(group: h5py.Group, name: str, seen: set[int]) -> Branch:
    link = group.get(name, getlink=True)
    leads = ""
    if isinstance(link, h5py.ExternalLink):
        leads = f"-> {link.filename}:{link.path} "
    elif isinstance(link, h5py.SoftLink):
        leads = f"-> {link.path} "
    item = group.get(name)
    if item is None:
        return Branch(name, f"{leads}(nothing there)")
    if isinstance(item, h5py.Dataset):
        return Branch(name, leads + _described(item))
    if leads or not isinstance(item, h5py.Group):
        return Branch(name, leads.strip())
    if address_of(item) in seen:
        return Branch(name, "(a group that is above)")
    return Branch(name, "", _members(item, seen))


def _described(dataset: h5py.Dataset) -> str:
    shape = " x ".join(map(str, dataset.shape or ())) or "scalar"
    words = [shape, _value(dataset) or str(dataset.dtype)]
    unit = unit_of(dataset.parent, dataset.name)
    filters = filter_names(dataset)
    words += [unit] if unit else []
    words += [f"({', '.join(filters)})"] if filters else []
    return " ".join(words)


def _value(dataset: h5py.Dataset) -> str:
    """Return a single number or short text as it is; nothing for arrays."""
    if dataset.shape not in ((), (1,)) or dataset.dtype.kind not in "biufO":
        return ""
    value = np.asarray(dataset[()]).reshape(-1)[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return f"= {str(value)[:60]}"
