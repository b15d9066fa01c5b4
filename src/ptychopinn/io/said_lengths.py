"""Wavelength and object pixel of files that tell them, with what ``--map`` says in their place.

Files of pixels (PtychoPINN NPZ, tike, training data) and of metres about an object (products) hold
an object pixel and perhaps an energy. ``--map`` may say the energy, the unit of the positions, and
the detector, which gives the object pixel: dx = wavelength * distance / (N * pixel).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ptychopinn.errors import ConfigError
from ptychopinn.io.file_map import FileMap
from ptychopinn.io.geometry import LENGTHS_M, Geometry, require_plausible
from ptychopinn.io.named_arrays import NamedArrays, positive
from ptychopinn.io.refusal import refusal
from ptychopinn.io.scan_step import StoredUnit

#: Planck's constant times the speed of light over the elementary charge, in eV m.
HC_EV_M = 6.62607015e-34 * 299792458.0 / 1.602176634e-19
#: Something that a file may tell, and sentences about it.
Told = tuple[float | None, list[str]]


def said_wavelength(said: FileMap, of_file: Callable[[], Told]) -> Told:
    """Return the wavelength that ``--map`` says, or else that of the file, which is read then."""
    wavelength = said.wavelength_m
    if wavelength is None:
        return of_file()
    return wavelength, [f"The wavelength is {wavelength:.6g} m, as --map says."]


def said_pixel_m(said: FileMap, wavelength_m: float | None, n: int) -> float | None:
    """Return the object pixel that distance and pixel of ``--map`` give; None where it says none.

    Raises:
        ConfigError: Only one of them is said, or the wavelength is not known.
    """
    distance, pixel = said.number("distance"), said.number("pixel")
    if distance is None and pixel is None:
        return None
    geometry = Geometry(wavelength_m, distance, None if pixel is None else (pixel, pixel))
    sizes = geometry.pixel_sizes_m(n)
    if sizes is None:
        raise ConfigError(
            "data.map: found distance or pixel without what else tells an object pixel, wanted "
            f'all; add "{" ".join(f"{name}=VALUE" for name in geometry.unknown)}".'
        )
    return sizes[1]


@dataclass(frozen=True)
class ObjectPixel:
    """The pixel of an object, from a file or from what ``--map`` says."""

    sides_m: tuple[float, float] | None
    """Height and width that turn metres into pixels; None = not known."""
    side_m: float | None
    """Side of a pixel when it is square and known."""
    by_user: bool = False
    """True when ``--map`` gives it, so that positions in metres leave the pixels of an object."""
    decisions: tuple[str, ...] = ()
    """Sentences that say what was decided."""

    @classmethod
    def as_said(cls, side_m: float) -> Self:
        """Return the pixel that ``--map`` gives."""
        said = (
            f"An object pixel is {side_m:.5g} m, as energy, distance and pixel of --map give it.",
        )
        return cls((side_m, side_m), side_m, by_user=True, decisions=said)

    @classmethod
    def square(cls, path: str | Path, key: str, side_m: float | None) -> Self:
        """Return the square pixel that a file tells, or nothing known; refuses an absurd one."""
        if side_m is None:
            return cls(None, None)
        require_plausible(path, key, "object pixel", side_m)
        return cls((side_m, side_m), side_m)


def read_wavelength(arrays: NamedArrays, said: FileMap, *keys: str) -> Told:
    """Return the wavelength of the energy in eV that stands under one of some names.

    ``wavelength_m``, as this package writes it beside, is only used where it means the same: light
    and electrons have energies that no X-ray has.
    """
    for key in keys:
        energy = positive(arrays, key)
        if energy is None:
            continue
        exact = positive(arrays, "wavelength_m")
        if exact is not None and np.isclose(HC_EV_M / exact, energy, rtol=1e-6):
            return exact, [f"{key}: {energy:.6g} eV, a wavelength of {exact:.5g} m."]
        wavelength = said.of_energy(require_plausible(arrays.path, key, "energy", energy))
        return wavelength, [f"{key}: {energy:.6g} eV, a wavelength of {wavelength:.5g} m."]
    return None, []


@dataclass(frozen=True)
class SaidPositions:
    """Positions in pixels, and what the file has them in."""

    positions_px: np.ndarray
    """(K, 2) float64 (y, x), whose zero is still that of the file."""
    stored: StoredUnit
    """What the file has them in."""
    decisions: list[str]
    """Sentences that say what was decided."""

    @property
    def of_stage(self) -> bool:
        """Tell whether they were lengths, which index no object array."""
        return self.stored.per_pixel != 1.0


def pixels_of_positions(
    path: str | Path,
    key: str,
    positions: np.ndarray,
    said: FileMap,
    usual: str,
    pixel_m: tuple[float, float] | None,
) -> SaidPositions:
    """Return positions of a file in pixels, in the unit that ``--map`` says or the usual one.

    Args:
        path: The file, for messages.
        key: What the positions are called in it.
        positions: (K, 2) float64 (y, x) as stored.
        said: What ``--map`` says.
        usual: ``m`` or ``px``, the unit of the format.
        pixel_m: Height and width of an object pixel; None = not known.

    Raises:
        DataError: They are said to be lengths, and the object pixel is not known.
    """
    unit = said.word("position_unit", usual)
    sentences = [] if unit == usual else [f"{key} are {unit}, as --map says."]
    width = None if pixel_m is None else pixel_m[1]
    if unit == "px":
        return SaidPositions(positions, StoredUnit(1.0, width), sentences)
    if pixel_m is None or width is None:
        raise refusal(
            path,
            key,
            f"positions in {unit} without the size of an object pixel",
            "energy, distance and detector pixel, which tell it",
            'add --map "energy=VALUE distance=VALUE pixel=VALUE"',
        )
    made = positions * LENGTHS_M[unit] / np.array(pixel_m)
    return SaidPositions(made, StoredUnit(width / LENGTHS_M[unit], width), sentences)
