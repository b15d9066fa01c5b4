"""Bring a complex image into the frame of its reference: what no diffraction pattern can tell.

A ptychographic data set does not fix where the object lies, its global phase, a linear phase
ramp, nor (unless the probe is known) its scale. Two images may be compared only after these have
been taken out, and a report says what was taken out.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from ptychopinn.axes import require_axes
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.evaluation.ramp import estimate_ramp, phase_ramp
from ptychopinn.evaluation.shift import estimate_shift, estimate_shift_without_phase, shift_image
from ptychopinn.evaluation.weighting import as_weight, require_finite, support_box, weighted_mean
from ptychopinn.evaluation.window import edge_taper

#: The registration window fades over this share of the smaller side of the weighted region.
_TAPER_SHARE = 0.15
#: Outside the weighted region the image fades to its mean over this many pixels.
_FADE_PX = 8.0
_MOST_ROUNDS = 10
_SMALLEST_SHIFT_PX = 0.005

_Vector = tuple[float, float]


@dataclass(frozen=True)
class Alignment:
    """An image in the frame of its reference, and what was removed to bring it there.

        aligned(r + shift) = image(r) * exp(-i ramp . (r - r0)) / factor

    with r0 = ((H - 1) / 2, (W - 1) / 2), the middle of the canvas.
    """

    image: np.ndarray = field(repr=False)
    """(H, W) complex128, the aligned image."""
    weight: np.ndarray = field(repr=False)
    """(H, W) float64: the given weight, 0 where pixels from outside the canvas moved in."""
    shift_px: tuple[float, float]
    """(y, x) by which the image was moved."""
    ramp_rad_per_px: tuple[float, float]
    """(y, x) of the phase ramp that was taken out, before the move."""
    factor: complex
    """The complex factor by which the image was divided."""
    note: str = ""
    """Why a shift was refused; empty when none was."""

    def to_dict(self) -> dict[str, Any]:
        """Return what was removed as plain JSON values, without the arrays."""
        return {
            "shift_px": list(self.shift_px),
            "ramp_rad_per_px": list(self.ramp_rad_per_px),
            "factor_modulus": abs(self.factor),
            "factor_phase_rad": float(np.angle(self.factor)),
            "note": self.note,
        }


def align(
    image: np.ndarray,
    reference: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    register: bool = True,
    max_shift_px: float = 10.0,
    factor: Literal["complex", "phase"] = "complex",
) -> Alignment:
    """Register an image to its reference, then remove the phase ramp and the global factor.

    Shift and ramp are found in turns, each on the image from which the other has been removed,
    until the shift stays; see `estimate_shift` and `estimate_ramp`. Only the weighted region is
    looked at, through a window that fades at its edge. The shift is applied to the whole canvas;
    for the weighted region, to one that fades to its mean outside, because a Fourier shift would
    smear the noise of an unlit surrounding into it. The factor that is divided out has

        phase    arg sum(w conj(reference) image)
        modulus  sum(w |reference| |image|) / sum(w |reference|^2)

    each the least-squares answer for its part alone. The modulus of the joint complex answer would
    shrink with every phase error, and so turn errors of phase into errors of amplitude.

    Args:
        image: (H, W) complex, on the canvas of the reference.
        reference: (H, W) complex.
        weight: (H, W) real >= 0, in the frame of the reference: how much each pixel counts, 0
            where nothing was measured. Pixels that are 0 in an image are *not* left out by
            themselves. None counts all pixels.
        register: Whether to look for a shift at all.
        max_shift_px: A longer shift is taken for a mistake of the registration (or of the frames)
            and refused: the shift is then (0, 0), and `note` says so. So it is, too, when the
            shift found makes the images agree less.
        factor: ``complex``, or ``phase`` to keep the amplitude as it is.

    Raises:
        ShapeError: The arrays differ in size, or an image is not complex.
        ConfigError: Another word for `factor`, or a negative `max_shift_px`.
        DataError: NaN or infinity where the weight is not 0, or nowhere there both images differ
            from 0.

    Cannot tell a shift from a ramp in an object of purely quadratic phase (a lens), nor find a
    shift along a direction in which the object does not vary.
    Tested: tests/evaluation/test_align.py.
    """
    if factor not in ("complex", "phase"):
        raise ConfigError(f"factor: expected 'complex' or 'phase', got '{factor}'.")
    if not max_shift_px >= 0:
        raise ConfigError(f"max_shift_px: expected pixels >= 0, got {max_shift_px}.")
    sizes = require_axes("reference", reference, "H W", kind="complex")
    require_axes("image", image, "H W", kind="complex", **sizes)
    weight = as_weight(weight, (sizes["H"], sizes["W"]))
    image = require_finite("image", image, weight).astype(np.complex128)
    reference = require_finite("reference", reference, weight).astype(np.complex128)

    pair = _Pair(image, reference, weight)
    start = pair.settle(_Pose())
    pose, note = pair.register(start, max_shift_px) if register else (start, "")
    moved = np.where(weight > 0, pair.moved(pose), pair.moved(pose, fade=False))
    weight = _without_border(weight, pose.shift)
    divisor = _global_factor(moved, reference, weight)
    if factor == "phase":
        divisor /= abs(divisor)
    return Alignment(moved / divisor, weight, pose.shift, pose.ramp, divisor, note)


@dataclass(frozen=True)
class _Pose:
    """A shift, the ramp that goes with it, and how well the images agree then (0 to 1)."""

    shift: _Vector = (0.0, 0.0)
    ramp: _Vector = (0.0, 0.0)
    agreement: float = 0.0

    def shifted(self, step: _Vector) -> "_Pose":
        """Return this pose moved on; its ramp is kept as a guess."""
        y, x = self.shift[0] + step[0], self.shift[1] + step[1]
        return _Pose((round(y, 6), round(x, 6)), self.ramp)

    def refuse(self, reason: str) -> str:
        """Say why this shift is not applied."""
        y, x = self.shift
        return f"registration found a shift of ({y:.2f}, {x:.2f}) px, {reason}; none was applied"


class _Pair:
    """Two complex images of one canvas and the region in which they are to agree."""

    def __init__(self, image: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> None:
        self._image = image
        self._box = support_box(weight)
        self._reference = reference[self._box]
        self._weight = weight[self._box]
        self._window = edge_taper(self._weight, _TAPER_SHARE * min(self._weight.shape))
        self._support = weight > 0
        self._fade = _fade_outside(self._support)

    def moved(self, pose: _Pose, *, fade: bool = True) -> np.ndarray:
        """Return the whole image without the pose's ramp, moved by its shift."""
        flat = self._image * np.conj(phase_ramp(self._image.shape, pose.ramp))
        if fade and any(pose.shift) and not self._support.all():
            back = -np.round(pose.shift)
            kept = ndimage.shift(self._fade, back, order=0, mode="nearest")
            mean = weighted_mean(flat, self._support)
            flat = mean + kept * (flat - mean)
        return shift_image(flat, pose.shift)

    def cropped(self, pose: _Pose) -> np.ndarray:
        """Return `moved`, cut to the region."""
        return self.moved(pose)[self._box]

    def settle(self, guess: _Pose) -> _Pose:
        """Find the ramp that goes with a shift, and rate the two."""
        moved = self.cropped(guess)
        more = estimate_ramp(moved, self._reference, self._weight)
        flat = moved * np.conj(phase_ramp(moved.shape, more))
        energy = [np.sum(self._window * np.abs(f) ** 2) for f in (self._reference, flat)]
        overlap = np.abs(np.sum(self._window * np.conj(self._reference) * flat))
        agreement = float(overlap / np.sqrt(energy[0] * energy[1])) if all(energy) else 0.0
        ramp = (guess.ramp[0] + more[0], guess.ramp[1] + more[1])
        return _Pose(guess.shift, ramp, agreement)

    def register(self, start: _Pose, max_shift_px: float) -> tuple[_Pose, str]:
        """Return the best pose, and why its shift was refused if it was."""
        first = estimate_shift_without_phase(self.cropped(start), self._reference, self._window)
        pose = start
        if np.hypot(*first) <= max_shift_px:
            pose = max(start, self.settle(start.shifted(first)), key=lambda p: p.agreement)
        for _ in range(_MOST_ROUNDS):
            step = estimate_shift(self.cropped(pose), self._reference, self._window)
            if np.hypot(*step) < _SMALLEST_SHIFT_PX:
                break
            pose = self.settle(pose.shifted(step))
            if np.hypot(*pose.shift) > max_shift_px:
                return start, pose.refuse(f"more than max_shift_px = {max_shift_px:g}")
        if pose.agreement < start.agreement:
            return start, pose.refuse("which makes the images agree less")
        return pose, ""


def _fade_outside(support: np.ndarray) -> np.ndarray:
    """Return 1 inside the support, falling as cos^2 to 0 outside it."""
    distance = ndimage.distance_transform_edt(~support)
    return np.cos(np.pi / 2 * np.minimum(1.0, distance / _FADE_PX)) ** 2


def _without_border(weight: np.ndarray, shift: _Vector) -> np.ndarray:
    """Set the weight to 0 where a shift brought in pixels from outside the canvas."""
    kept = weight.copy()
    for axis, distance in enumerate(shift):
        rows = np.moveaxis(kept, axis, 0)
        width = int(np.ceil(abs(distance)))
        if width:
            rows[slice(0, width) if distance > 0 else slice(-width, None)] = 0
    return kept


def _global_factor(image: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> complex:
    """Return the factor that the image carries; its phase and modulus are fitted separately."""
    overlap = np.sum(weight * np.abs(reference * image))
    if not overlap > 0:
        raise DataError(
            "image, reference: nowhere is the weight above 0 and both of them different from 0; "
            "check that they lie on the same canvas."
        )
    phase = np.angle(np.sum(weight * np.conj(reference) * image))
    return complex(overlap / np.sum(weight * np.abs(reference) ** 2) * np.exp(1j * phase))
