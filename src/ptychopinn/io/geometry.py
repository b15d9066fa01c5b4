"""Energies, wavelengths, distances and pixels: units converted, absurd values caught.

Files of the field give an energy in J, eV or keV, a wavelength in m, nm or angstrom, lengths in m,
mm or um; some forget to say which. What a unit says is believed; the result must be a length or an
energy that an instrument can have, and the refusal of one that cannot names the likely reading.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ptychopinn.io.refusal import refusal

_PLANCK_J_S = 6.62607015e-34
_LIGHT_M_S = 299792458.0
_CHARGE_C = 1.602176634e-19
_ELECTRON_MASS_KG = 9.1093837015e-31

#: Units of length in metres and of energy in electron volts, in small letters.
LENGTHS_M = {
    **{"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0},
    **{"cm": 1e-2, "mm": 1e-3, "millimeter": 1e-3, "um": 1e-6, "µm": 1e-6, "μm": 1e-6},
    **{"micron": 1e-6, "microns": 1e-6, "micrometer": 1e-6, "micrometers": 1e-6},
    **{"nm": 1e-9, "nanometer": 1e-9, "a": 1e-10, "å": 1e-10, "angstrom": 1e-10, "pm": 1e-12},
    **{"angstroms": 1e-10, "ångström": 1e-10},
}
ENERGIES_EV = {"ev": 1.0, "kev": 1e3, "mev": 1e6, "gev": 1e9, "j": 1 / _CHARGE_C}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def photon_wavelength_m(energy_ev: float) -> float:
    """Return the wavelength of photons, h c / E."""
    return _PLANCK_J_S * _LIGHT_M_S / (energy_ev * _CHARGE_C)


def photon_energy_ev(wavelength_m: float) -> float:
    """Return the energy of photons, h c / wavelength."""
    return _PLANCK_J_S * _LIGHT_M_S / (wavelength_m * _CHARGE_C)


def electron_wavelength_m(energy_ev: float) -> float:
    """Return the relativistic wavelength of electrons, h / sqrt(2 m E + (E / c)^2)."""
    energy_j = energy_ev * _CHARGE_C
    momentum = math.sqrt(2 * _ELECTRON_MASS_KG * energy_j + (energy_j / _LIGHT_M_S) ** 2)
    return _PLANCK_J_S / momentum


@dataclass(frozen=True)
class Bounds:
    """Between which values an instrument can be, and in which units it may have been meant."""

    least: float
    most: float
    unit: str
    readings: dict[str, float]
    """Other units with what one of them is in ``unit``."""
    told_by: str = ""
    """What ``--map`` takes in its place; empty = its own name."""


#: Values that instruments have: soft X-rays to 300 keV electrons, tables and halls, pixels.
BOUNDS = {
    "energy": Bounds(30, 7e5, "eV", {"keV": 1e3, "J": ENERGIES_EV["j"]}),
    "wavelength": Bounds(1e-12, 2e-6, "m", {"nm": 1e-9, "angstrom": 1e-10, "pm": 1e-12}),
    "distance": Bounds(1e-3, 1e3, "m", {"mm": 1e-3, "um": 1e-6}),
    "pixel": Bounds(5e-7, 5e-3, "m", {"um": 1e-6, "mm": 1e-3, "nm": 1e-9}),
    "object pixel": Bounds(
        1e-12,
        1e-4,
        "m",
        {"nm": 1e-9, "um": 1e-6, "angstrom": 1e-10},
        told_by="energy, distance and pixel",
    ),
}


def require_plausible(path: str | Path, key: str, what: str, value: float) -> float:
    """Return a value that an instrument can have; refuses another, with its likely reading.

    Args:
        path: The file, for messages.
        key: What the value is called in the file.
        what: A key of `BOUNDS`.
        value: In the unit of those bounds.
    """
    bounds = BOUNDS[what]
    if bounds.least <= value <= bounds.most:
        return value
    raise refusal(
        path,
        key,
        f"{value:g} {bounds.unit}",
        f"{bounds.least:g} to {bounds.most:g} {bounds.unit}",
        _remedy(what, value, bounds),
    )


def _remedy(what: str, value: float, bounds: Bounds) -> str:
    """Return the likely reading of an absurd value, and how to say it."""
    likely = _likely(value, bounds)
    if bounds.told_by:
        reading = f"it is likely {value:g} {likely}: " if likely else ""
        return f"{reading}correct it, or say {bounds.told_by} with --map"
    if likely is None:
        return f"correct it, or give another with --map {what}="
    said = f"it is likely {value:g} {likely}: say --map {what}={value:g}{likely}"
    if what != "energy":
        return said
    light_m = photon_wavelength_m(value)
    fits = BOUNDS["wavelength"].least <= light_m <= BOUNDS["wavelength"].most
    return f"{said}, or wavelength={1e9 * light_m:.6g}nm if it is light" if fits else said


def _likely(value: float, bounds: Bounds) -> str | None:
    return next(
        (
            unit
            for unit, factor in bounds.readings.items()
            if bounds.least <= value * factor <= bounds.most
        ),
        None,
    )


def converted(
    path: str | Path, key: str, what: str, value: float, unit: str | None, usual: str
) -> tuple[float, list[str]]:
    """Return a value in eV or m, and a sentence where its unit was converted or guessed.

    Args:
        path: The file, for messages.
        key: What the value is called in the file.
        what: A key of `BOUNDS`.
        value: As the file has it.
        unit: As the file names it; None = it does not, and ``usual`` is meant, unless only another
            one gives a value that an instrument can have.
        usual: The unit that the format prescribes.

    Raises:
        DataError: The unit is unknown, or the value absurd in every unit.
    """
    bounds = BOUNDS[what]
    units = ENERGIES_EV if bounds.unit == "eV" else LENGTHS_M
    named = (unit or usual).strip().casefold()
    if named not in units:
        raise refusal(
            path, key, f"the unit '{unit}'", f"a unit such as {bounds.unit}", "correct it"
        )
    made = value * units[named]
    if not unit and not bounds.least <= made <= bounds.most:
        likely = bounds.unit if bounds.least <= value <= bounds.most else _likely(value, bounds)
        if likely is not None:
            said = f"{key} = {value:g} has no unit and is read as {likely}; override it with --map."
            return value * units[likely.casefold()], [said]
    made = require_plausible(path, key, what, made)
    same = math.isclose(made, value, rel_tol=1e-12)
    return made, [] if same else [f"{key}: {value:g} {unit or usual} is {made:.6g} {bounds.unit}."]


def parse_quantity(text: str) -> tuple[float, str | None] | None:
    """Return number and unit of a text such as ``8.8keV``; None when it is no number."""
    match = _NUMBER.fullmatch(text)
    return (float(match[1]), match[2] or None) if match else None


@dataclass(frozen=True)
class Geometry:
    """What turns detector pixels into metres on the object; None where it is not known."""

    wavelength_m: float | None = None
    distance_m: float | None = None
    """From the object to the detector."""
    detector_pixel_m: tuple[float, float] | None = None
    """Height and width of a detector pixel."""

    def pixel_sizes_m(self, n: int) -> tuple[float, float] | None:
        """Return height and width of an object pixel of patterns of N x N pixels.

        dx = wavelength * distance / (N * detector pixel)        (far field)
        """
        if not (self.wavelength_m and self.distance_m and self.detector_pixel_m):
            return None
        height, width = self.detector_pixel_m
        reach = self.wavelength_m * self.distance_m / n
        return reach / height, reach / width

    @property
    def unknown(self) -> list[str]:
        """What is missing to know the pixel size, as ``--map`` calls it."""
        known = {
            "energy": self.wavelength_m,
            "distance": self.distance_m,
            "pixel": self.detector_pixel_m,
        }
        return [name for name, value in known.items() if not value]
