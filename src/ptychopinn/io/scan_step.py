"""The step of a scan, which gives away positions in another unit than they are read in."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.io.refusal import refusal

#: Steps between neighbours that a scan can have, in object pixels; above it as shares of N.
LEAST_STEP_PX, MOST_STEP = 0.02, 2.0
#: Steps that scans usually have: from there in object pixels to there as a share of N.
_USUAL_PX, _USUAL_SHARE = 0.2, 0.5
#: Share of N that is the likeliest step.
_LIKELIEST = 0.1
#: Units in which positions are found, in metres.
_UNITS = {"mm": 1e-3, "um": 1e-6, "nm": 1e-9, "m": 1.0}
#: Positions among which neighbours are looked for.
_SAMPLE = 2000


@dataclass(frozen=True)
class StoredUnit:
    """What a file has its positions in, so that a likelier unit can be named."""

    per_pixel: float = 1.0
    """Numbers of the file that make a pixel of the canvas; 1 = they are pixels."""
    pixel_m: float | None = None
    """Side of a pixel of the canvas in metres; None = not known."""


PIXELS = StoredUnit()


def nearest_step(positions: np.ndarray) -> float | None:
    """Return the median distance to the nearest other position, or nothing for one place."""
    finite = positions[np.isfinite(positions).all(axis=1)].astype(np.float64)
    # One complex number a position is sorted ten times as fast as a row.
    points = np.unique(finite[:, 0] + 1j * finite[:, 1])
    if len(points) < 2:
        return None
    different = np.stack([points.real, points.imag], axis=1)
    chosen = different[:: max(1, len(different) // _SAMPLE)]
    return float(np.median(cKDTree(different).query(chosen, k=2)[0][:, 1]))


def room_step(positions: np.ndarray) -> float:
    """Return the step by the room that a position has: sqrt(area / K), or its share of a line.

    Repeats that an encoder tells apart lie closer than any step; this hardly sees them.
    """
    finite = positions[np.isfinite(positions).all(axis=1)]
    height, width = np.ptp(finite, axis=0)
    return max(
        float(np.sqrt(height * width / len(finite))), float(max(height, width)) / len(finite)
    )


def likely_units(step: float, n: int, pixel_m: float | None) -> dict[str, float]:
    """Return units in which a step would be a usual one, the likeliest first, with it in pixels.

    Args:
        step: In the numbers of the file.
        n: Side N of a pattern.
        pixel_m: Side of an object pixel in metres; None = not known.
    """
    steps = {unit: step * size / pixel_m for unit, size in _UNITS.items()} if pixel_m else {}
    steps["px"] = step
    usual = {unit: px for unit, px in steps.items() if _USUAL_PX <= px <= _USUAL_SHARE * n}
    return dict(sorted(usual.items(), key=lambda pair: abs(math.log(pair[1] / (_LIKELIEST * n)))))


def unit_advice(step_px: float, n: int, stored: StoredUnit) -> str:
    """Return the likely reading of positions whose step cannot be, and how to say it."""
    fitting = likely_units(step_px * stored.per_pixel, n, stored.pixel_m)
    if fitting:
        words = " or ".join(f"{unit} (a step of {px:.3g} pixels)" for unit, px in fitting.items())
        unit = next(iter(fitting))
        return (
            f"they look like {words}: say --map position_unit={unit}, or correct energy, distance "
            "and detector pixel (--map distance=)"
        )
    if stored.pixel_m is None:
        return (
            'if they are no pixels, say which unit: --map "position_unit=um energy=VALUE '
            'distance=VALUE pixel=VALUE"'
        )
    return "check positions, energy, distance and detector pixel (--map)"


def require_step(
    path: str | Path, what: str, positions_px: np.ndarray, n: int, stored: StoredUnit = PIXELS
) -> None:
    """Refuse positions that no scan with such patterns has; the sentence names the likely unit.

    Too small a step is refused in every file; too large a one in those that tell positions in
    metres, where it is a matter of units and not of a sparse scan.

    Args:
        path: The file, for messages.
        what: What the positions are called in the file.
        positions_px: (K, 2) float64 (y, x), finite.
        n: Side N of a pattern.
        stored: What the file has them in.
    """
    nearest = nearest_step(positions_px)
    if nearest is None:
        return
    step = max(nearest, room_step(positions_px))
    metric = stored.per_pixel != 1.0
    if step >= LEAST_STEP_PX and (not metric or nearest <= MOST_STEP * n):
        return
    wrong = step if step < LEAST_STEP_PX else nearest
    size = f" of {stored.pixel_m:.3g} m" if stored.pixel_m else ""
    metres = f"{wrong * stored.pixel_m:.3g} m between neighbours, " if stored.pixel_m else ""
    raise refusal(
        path,
        what,
        f"a step of {metres}{wrong:.3g} object pixels{size}",
        f"{LEAST_STEP_PX} to {MOST_STEP * n:g} pixels" if metric else f"at least {LEAST_STEP_PX}",
        unit_advice(wrong, n, stored),
    )
