"""Any number of results held against each other, their patterns, and a reference.

table = side_by_side(results, reference=truth)
table.rows          # a line of figures for each result
table.pairs         # ring correlation and phase difference of every two
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from ptychopinn.errors import ConfigError, DataError
from ptychopinn.evaluation import Comparison, compare
from ptychopinn.inference import fit_of
from ptychopinn.scan import Reconstruction, Scan

#: Share of the best illumination below which a pixel is not compared.
LEAST_COVERAGE = 0.1
#: Canvases over the same positions differ in how far they reach, but not by more than this share.
_MOST_APART = 0.1


@dataclass(frozen=True)
class Contestant:
    """A result under the name that it has in tables."""

    name: str
    made: Reconstruction
    scan: Scan | None = None
    """The patterns that it was made from; None = not found, so that no likelihood is told."""


@dataclass(frozen=True)
class SideBySide:
    """What was found."""

    names: tuple[str, ...]
    """In the order in which they were given."""
    rows: tuple[dict[str, Any], ...]
    """Figures of each: plain values, None where unknown."""
    pairs: tuple[dict[str, Any], ...]
    """Figures of every two."""
    comparisons: dict[tuple[str, str], Comparison] = field(repr=False)
    """By (image, what it was aligned to); a reference is called ``reference``."""
    images: tuple[np.ndarray, ...] = field(repr=False)
    """(H, W) complex each, aligned to the reference, or to the first of them."""
    coverage: np.ndarray = field(repr=False)
    """(H, W) illumination where all have some: the least of all."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, with the curves of the ring correlations."""
        curves = [
            {"image": image, "reference": other, **found.frc.to_dict()}
            for (image, other), found in self.comparisons.items()
        ]
        return {
            "results": list(self.rows),
            "pairs": list(self.pairs),
            "ring_correlations": curves,
        }


def side_by_side(
    contestants: Sequence[Contestant],
    *,
    reference: np.ndarray | None = None,
    region: str = "all",
) -> SideBySide:
    """Compare results with each other, with their patterns and with a reference.

    Every two images are compared where both are well covered, on the pixels that all canvases
    have, after registration and removal of factor and ramp (`evaluation.compare`).

    Args:
        contestants: At least one, two without a reference; names differ.
        reference: (H, W) complex, on the canvas of the same positions.
        region: What to compare, as `evaluation.Region.parse` reads it.

    Raises:
        ConfigError: Too few results, or a name twice.
        DataError: The canvases are not of the same scan.

    Two results of the same patterns share the noise: their ring correlation says how far they
    agree, not how far either is right.
    Tested: tests/test_side_by_side.py.
    """
    names = [contestant.name for contestant in contestants]
    _require_enough(names, reference)
    shapes = [contestant.made.object.shape for contestant in contestants]
    common = common_canvas([*shapes, *([] if reference is None else [reference.shape])])
    images = {c.name: c.made.object[common] for c in contestants}
    weights = {c.name: _covered(c.made.coverage[common]) for c in contestants}
    comparisons: dict[tuple[str, str], Comparison] = {}
    if reference is not None:
        images["reference"], weights["reference"] = reference[common], np.ones(1)
    wanted = [(name, "reference") for name in names] if reference is not None else []
    wanted += [(second, first) for first, second in combinations(names, 2)]
    for image, other in wanted:
        comparisons[image, other] = compare(
            images[image], images[other], weights[image] * weights[other], region
        )
    first = "reference" if reference is not None else names[0]
    aligned = tuple(
        images[name] if name == first else comparisons[name, first].alignment.image
        for name in names
    )
    return SideBySide(
        names=tuple(names),
        rows=tuple(_row(c, comparisons.get((c.name, "reference"))) for c in contestants),
        pairs=tuple(_pair(*key, found) for key, found in comparisons.items()),
        comparisons=comparisons,
        images=aligned if reference is None else (images["reference"], *aligned),
        coverage=np.minimum.reduce([c.made.coverage[common] for c in contestants]),
    )


def common_canvas(shapes: Sequence[tuple[int, ...]]) -> tuple[slice, slice]:
    """Return the pixels that all canvases have; pixel (0, 0) is the same in all.

    Raises:
        DataError: They differ by more than a tenth, so they hardly are of the same scan.
    """
    sizes = np.array(shapes)
    least, most = sizes.min(axis=0), sizes.max(axis=0)
    if (least < (1 - _MOST_APART) * most).any():
        found = ", ".join(f"{height} x {width}" for height, width in sizes.tolist())
        raise DataError(
            f"results: found canvases of {found} pixels, wanted about the same size; compare "
            "results, and a reference, of the same scan."
        )
    return slice(0, int(least[0])), slice(0, int(least[1]))


def _require_enough(names: list[str], reference: np.ndarray | None) -> None:
    if len(names) < (2 if reference is None else 1):
        raise ConfigError(
            f"results: {len(names)} given, wanted at least two to compare; name another one, or "
            "a --reference."
        )
    doubled = {name for name in names if names.count(name) > 1}
    if doubled or "reference" in names:
        which = ", ".join(sorted(doubled)) or "reference"
        raise ConfigError(f"results: the name {which} occurs twice; rename a folder.")


def _covered(coverage: np.ndarray) -> np.ndarray:
    return (coverage > LEAST_COVERAGE).astype(np.float64)


def _row(contestant: Contestant, against: Comparison | None) -> dict[str, Any]:
    made = contestant.made
    told = made.provenance
    row: dict[str, Any] = {
        "name": contestant.name,
        "generator": told.get("generator"),
        "patterns": len(made.positions_px),
        "seconds": told.get("seconds"),
        "seconds_in_all": told.get("seconds_in_all", told.get("seconds")),
        "deviance": None,
        "deviance_of_noise": None,
    }
    if contestant.scan is not None:
        found = fit_of(contestant.scan, made)
        row["deviance"] = _finite(found.deviance.mean())
        row["deviance_of_noise"] = _finite(found.expected.mean())
    if against is not None:
        row |= {
            "phase_rmse_rad": _finite(against.metrics.phase.rmse),
            "phase_ssim": _finite(against.metrics.phase.ssim),
            "amplitude_rmse": _finite(against.metrics.amplitude.rmse),
            "amplitude_ssim": _finite(against.metrics.amplitude.ssim),
            "frc_half_cycles_per_px": _finite(against.crossings["half"].cycles_per_px),
        }
    return row


def _pair(image: str, other: str, found: Comparison) -> dict[str, Any]:
    """Return how far two images are apart; threshold 1/2, since they are not halves of the data."""
    return {
        "image": image,
        "aligned_to": other,
        "phase_rmse_rad": _finite(found.metrics.phase.rmse),
        "phase_ssim": _finite(found.metrics.phase.ssim),
        "amplitude_rmse": _finite(found.metrics.amplitude.rmse),
        "frc_half_cycles_per_px": _finite(found.crossings["half"].cycles_per_px),
        "shift_y_px": _finite(found.alignment.shift_px[0]),
        "shift_x_px": _finite(found.alignment.shift_px[1]),
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
