"""What the user says about a file: where things lie in it, and what it leaves out or has wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ptychopinn.errors import ConfigError, did_you_mean
from ptychopinn.io.geometry import (
    BOUNDS,
    ENERGIES_EV,
    LENGTHS_M,
    Geometry,
    electron_wavelength_m,
    parse_quantity,
    photon_wavelength_m,
    require_plausible,
)

#: Names that ``--map`` takes, and what they are.
NAMES = {
    "patterns": "dataset of the patterns, (n, y, x) or (slow, fast, y, x)",
    "positions": "dataset of the positions, (n, 2) as (y, x), or (n, 3) as (x, y, z)",
    "y": "dataset of the rows of the positions, (n,), in place of positions",
    "x": "dataset of their columns",
    "order": "xy when the first of two columns of positions is x",
    "position_unit": "m, mm, um, nm, angstrom or px",
    "energy": "of the photons or electrons, as 8.8keV; a dataset, or a number with its unit",
    "wavelength": "in place of energy",
    "particle": "electrons, when they are",
    "distance": "from the object to the detector, as 2m",
    "pixel": "side of a detector pixel, as 75um",
    "mask": "dataset of bad pixels, (y, x), not 0 = bad",
    "good": "dataset of good pixels, (y, x), not 0 = good",
    "probe": "dataset of the probe, complex (N, N) or (P, N, N)",
    "indexes": "dataset with the number of each pattern, to pair by",
    "position_indexes": "dataset with the number of each position",
    "scan": "rows and columns of a raster, as 64x48",
    "step": "distance of neighbours in a raster, as 0.4A, 3px, or rows,columns",
    "angle": "that a detector pixel takes, as 0.8mrad, in place of distance and pixel",
    "rotation": "of a raster from +x towards +y, as 12deg",
}
#: What tells a scan its lengths where the file has positions and patterns of its own.
LENGTHS = ("energy", "wavelength", "particle", "distance", "pixel", "position_unit")
#: What tells the raster scan of a file without positions.
RASTER = (
    *("scan", "step", "angle", "rotation", "energy", "wavelength", "particle", "distance"),
    "pixel",
)
#: What names the parts of any HDF5 file.
PLACES = (
    *("patterns", "positions", "y", "x", "order", "position_unit", "energy", "wavelength"),
    *("particle", "distance", "pixel", "mask", "good", "probe", "indexes", "position_indexes"),
)
_WORDS = {
    "order": ("yx", "xy"),
    "particle": ("photons", "electrons"),
    "position_unit": ("m", "mm", "um", "nm", "angstrom", "px"),
}


class Place(NamedTuple):
    """A dataset: in the file itself (None) or in another, by its path inside."""

    file: Path | None
    key: str


@dataclass(frozen=True)
class FileMap:
    """What ``--map`` says, by name; empty when nothing was said."""

    values: dict[str, str]

    def __contains__(self, name: str) -> bool:
        """Tell whether something was said."""
        return name in self.values

    def word(self, name: str, default: str) -> str:
        """Return a plain word."""
        return self.values.get(name, default)

    def place(self, name: str) -> Place | None:
        """Return a dataset, or nothing when none was named."""
        text = self.values.get(name)
        if text is None:
            return None
        file, sign, key = text.rpartition(":")
        return Place(Path(file), key) if sign else Place(None, key)

    def number(self, name: str) -> float | None:
        """Return an energy in eV or a length in m; None when a dataset or nothing was said."""
        text = self.values.get(name)
        found = parse_quantity(text) if text is not None else None
        if found is None:
            return None
        bounds, (value, unit) = BOUNDS[name], found
        units = ENERGIES_EV if bounds.unit == "eV" else LENGTHS_M
        if (unit or "").casefold() not in units:
            raise ConfigError(
                f"data.map: {name}={text}: expected a number with its unit, such as "
                f"{name}={value:g}{bounds.unit}."
            )
        return require_plausible("--map", name, name, value * units[(unit or "").casefold()])

    @property
    def changes_pixels(self) -> bool:
        """Tell whether something that decides the size of an object pixel was said."""
        return any(name in self for name in ("energy", "wavelength", "distance", "pixel"))

    @property
    def wavelength_m(self) -> float | None:
        """The wavelength that energy or wavelength, as numbers, say."""
        direct, energy = self.number("wavelength"), self.number("energy")
        if direct is not None or energy is None:
            return direct
        return self.of_energy(energy)

    def of_energy(self, energy_ev: float) -> float:
        """Return the wavelength of the particles at an energy."""
        electrons = self.word("particle", "photons") == "electrons"
        return (electron_wavelength_m if electrons else photon_wavelength_m)(energy_ev)

    def geometry(self, of_file: Geometry) -> Geometry:
        """Return the geometry of a file with what was said in its place."""
        pixel = self.number("pixel")
        return Geometry(
            self.wavelength_m or of_file.wavelength_m,
            self.number("distance") or of_file.distance_m,
            of_file.detector_pixel_m if pixel is None else (pixel, pixel),
        )


def parse_map(text: str | None) -> FileMap:
    """Return what ``--map "name=value name=value"`` says.

    Raises:
        ConfigError: A name is unknown, or a part is no ``name=value``.
    """
    values: dict[str, str] = {}
    for part in (text or "").split():
        name, sign, value = part.partition("=")
        if name not in NAMES or not sign or not value:
            raise ConfigError(f"data.map: '{part}' is no name=value; {did_you_mean(name, NAMES)}")
        if name in _WORDS and value not in _WORDS[name]:
            raise ConfigError(f"data.map: {name} is one of {', '.join(_WORDS[name])}, not {value}.")
        values[name] = value
    if "energy" in values and "wavelength" in values:
        raise ConfigError("data.map: found energy and wavelength, wanted one; leave out the other.")
    return FileMap(values)


def require_heeded(said: FileMap, kind: str, heeded: Collection[str], *, is_hdf5: bool) -> None:
    """Refuse what a kind of file tells by itself, so that nothing that was said is passed over.

    Args:
        said: What ``--map`` says.
        kind: What the kind of file is called.
        heeded: The names that its reader asks for.
        is_hdf5: Tells whether naming ``patterns`` would read the file as any HDF5 file.

    Raises:
        ConfigError: A name is not asked for; or a dataset is named where the reader wants a number.
    """
    names = ", ".join(heeded) or "nothing"
    for name in said.values:
        if name not in heeded:
            anyway = (
                f', or add "patterns=PLACE {name}={said.values[name]}" to read it as any HDF5 file'
                if is_hdf5 and name in PLACES
                else ""
            )
            raise ConfigError(
                f"data.map: found {name}={said.values[name]} for a file of the kind {kind}, which "
                f"tells that itself, wanted {names}; leave it out{anyway}."
            )
        if name in BOUNDS and "patterns" not in heeded and said.number(name) is None:
            raise ConfigError(
                f"data.map: found {name}={said.values[name]} for a file of the kind {kind}, wanted "
                f"a number with its unit; datasets are only looked up in any HDF5 file, with "
                "patterns=PLACE."
            )
    if "particle" in said and "energy" not in said and "patterns" not in heeded:
        raise ConfigError(
            f"data.map: found particle={said.values['particle']} alone, wanted the energy that it "
            "has; add energy=VALUE."
        )


def require_measured(said: FileMap, path: str | Path, *, known: bool) -> None:
    """Refuse lengths for a file whose own are nominal: they only give its pixels back.

    Args:
        said: What ``--map`` says.
        path: The file, for messages.
        known: Tells whether pixel size and wavelength of the file are known.

    Raises:
        ConfigError: A length was said, which would make other pixels of the positions.
    """
    if said.changes_pixels and not known:
        raise ConfigError(
            f"{path}: found nominal lengths, as a scan without pixel size or energy was written "
            "with, wanted measured ones for --map to correct; convert the first file of the scan "
            "again, with --map there."
        )
