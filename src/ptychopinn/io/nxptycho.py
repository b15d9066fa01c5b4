"""The layout of NXptycho files, whose groups carry numbers and whose positioners carry names."""

import h5py
import numpy as np

from ptychopinn.io.facility_layouts import Field, Layout
from ptychopinn.io.hdf5_fields import read_text

#: What a positioner may hold, the measured value first.
_VALUES = ("value", "raw_value", "target_value")


def nxptycho_layout(file: h5py.File) -> Layout | None:
    """Return where an NXptycho file has what a scan needs; None for a file of another kind.

    Positioners are told apart by their names, or by the ``vector`` of the transformations. Energies
    may be eV or keV and lengths m, mm or um: the attribute ``units`` says which.
    """
    for name in file:
        entry = file.get(name)
        if isinstance(entry, h5py.Group) and read_text(file, f"{name}/definition") == "NXptycho":
            return _layout(entry)
    return None


def _layout(entry: h5py.Group) -> Layout:
    place = entry.name.strip("/")
    instrument = _child(entry, "instrument")
    detector = f"{instrument}/{_name(entry.file, instrument, 'detector')}"
    beam = f"{instrument}/{_name(entry.file, instrument, 'beam')}"
    pixels = [((f"{detector}/{axis}_pixel_size", "m"),) for axis in "yx"]
    return Layout(
        name="NXptycho",
        patterns=(f"{detector}/data", f"{place}/data_1/data"),
        y=_positioners(entry, 1),
        x=_positioners(entry, 0),
        energy=(
            *((f"{beam}/{name}", "eV") for name in ("incident_energy", "energy")),
            *((f"{beam}/incident_beam_energy", "eV"),),
        ),
        wavelength=((f"{beam}/incident_wavelength", "angstrom"),),
        distance=((f"{detector}/distance", "m"),),
        pixel=((*pixels[0], *pixels[1]), (*pixels[1], *pixels[0])),
        center=(f"{detector}/beam_center_y", f"{detector}/beam_center_x"),
        bad=(f"{detector}/pixel_mask",),
    )


def _child(entry: h5py.Group, kind: str) -> str:
    return f"{entry.name.strip('/')}/{_name(entry.file, entry.name, kind)}"


def _name(file: h5py.File, place: str, kind: str) -> str:
    """Return the name of the first child that begins with a kind, as ``detector_1``."""
    group = file.get(place)
    members = list(group) if isinstance(group, h5py.Group) else []
    names = [name for name in members if name.startswith(kind)]
    return sorted(names)[0] if names else f"{kind}_1"


def _positioners(entry: h5py.Group, axis: int) -> tuple[Field, ...]:
    """Return where the positions along x (0) or y (1) are."""
    sample = entry.file.get(_child(entry, "sample"))
    if not isinstance(sample, h5py.Group):
        return ()
    found: list[Field] = []
    for name in sorted(sample):
        item = sample[name]
        if name.startswith("transformation") and isinstance(item, h5py.Group):
            found += [(item[key].name, "m") for key in item if _points_along(item[key], axis)]
        if name.startswith("positioner") and isinstance(item, h5py.Group):
            called = read_text(entry.file, f"{item.name}/name").casefold()
            if called.rstrip("_0123456789").endswith("xy"[axis]) or called.startswith("xy"[axis]):
                found += [(f"{item.name}/{key}", "m") for key in _VALUES if key in item]
    return tuple(found)


def _points_along(item: h5py.HLObject, axis: int) -> bool:
    vector = np.asarray(item.attrs.get("vector", ()), dtype=float).ravel()
    return vector.size == 3 and abs(vector[axis]) > 0.9
