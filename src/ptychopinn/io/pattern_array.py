"""What a stored pattern array means: which axis counts patterns, counts or amplitude, faults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ptychopinn.io.refusal import refusal
from ptychopinn.processes import ALONE, Processes, lookers
from ptychopinn.scan import Patterns

#: Patterns are looked through in pieces of about this size, in bytes.
CHUNK_BYTES = 32 * 2**20
#: Patterns that the integer test looks at, spread over the scan.
_SAMPLE = 32

Order = Literal["kyx", "yxk"]
Domain = Literal["counts", "amplitude"]


class Survey(NamedTuple):
    """What one pass over all patterns finds, counting good pixels only."""

    faults: np.ndarray
    """(K,) int64, pixels that are NaN, infinite or negative."""
    faulty: np.ndarray
    """(N, N) bool, pixels that are so in any pattern."""
    peaks: np.ndarray
    """(K,) float64, largest value of each pattern, faults left out."""


def require_pattern_header(
    path: str | Path, key: str, shape: tuple[int, ...], dtype: np.dtype
) -> None:
    """Refuse a pattern array that is complex, not numeric, or has not three axes."""
    if dtype.kind == "c":
        raise refusal(
            path,
            key,
            f"{dtype}, complex where real is needed",
            "real photon counts or amplitudes",
            "save the measured intensities",
        )
    if dtype.kind not in "biuf":
        raise refusal(path, key, f"elements of type {dtype}", "real numbers", "check the key")
    if len(shape) != 3:
        raise refusal(
            path,
            key,
            f"{len(shape)} axes, shape {shape}",
            "three: patterns, rows, columns",
            "reshape the array",
        )


def axis_order(
    path: str | Path, key: str, shape: tuple[int, ...], n_positions: int, wanted: str
) -> tuple[Order, list[str]]:
    """Tell which axis of (n, y, x) or (y, x, n) counts the patterns.

    Patterns are square and there are as many as positions; where both orders fit, ``diffraction``
    is the old (y, x, n) and every other key (n, y, x).

    Args:
        path: The file, for messages.
        key: The key of the array.
        shape: Shape with three axes.
        n_positions: Number of positions.
        wanted: ``auto``, ``kyx`` or ``yxk``, which overrides.

    Returns:
        The order, and sentences that say what was decided where the shape leaves room.

    Raises:
        DataError: There are no patterns, they are not square, or not as many as positions.
    """
    square = {"kyx": shape[1] == shape[2], "yxk": shape[0] == shape[1]}
    number = {"kyx": shape[0], "yxk": shape[2]}
    allowed: list[Order] = ["kyx", "yxk"] if wanted == "auto" else [wanted]  # type: ignore[list-item]
    fitting = [order for order in allowed if square[order] and number[order] == n_positions]
    if 0 in shape or not fitting:
        raise _no_order(path, key, shape, n_positions, [o for o in allowed if square[o]])
    if wanted != "auto":
        return fitting[0], [f"{key} is read as {_AXES[fitting[0]]} because --axis-order says so."]
    if len(fitting) == 1:
        return fitting[0], ([] if fitting[0] == "kyx" else [_old_order_said(key)])
    order: Order = "yxk" if key == "diffraction" else "kyx"
    other = "kyx" if order == "yxk" else "yxk"
    return order, [
        f"{key} has {n_positions} patterns of {n_positions} pixels, so its axis order cannot be "
        f"seen; it is read as {_AXES[order]}, as is usual for this key; override with "
        f"--axis-order {other}."
    ]


_AXES = {"kyx": "(pattern, y, x)", "yxk": "(y, x, pattern)"}


def _old_order_said(key: str) -> str:
    return (
        f"{key} is read as (y, x, pattern) because its last axis has as many entries as there are "
        "positions; override with --axis-order kyx."
    )


def _no_order(
    path: str | Path, key: str, shape: tuple[int, ...], n_positions: int, square: list[Order]
) -> Exception:
    if 0 in shape:
        return refusal(
            path, key, f"shape {shape}, no patterns", "at least one", "check how it was exported"
        )
    if not square:
        return refusal(
            path,
            key,
            f"shape {shape}, patterns that are not square",
            f"({n_positions}, N, N)",
            "crop or pad the patterns to squares about their middle",
        )
    number = shape[0] if "kyx" in square else shape[2]
    return refusal(
        path,
        key,
        f"{number} patterns and {n_positions} positions",
        "as many patterns as positions",
        "remove those without a partner",
    )


def survey(patterns: Patterns, mask: np.ndarray) -> Survey:
    """Look through all patterns once, in pieces that follow their order on disk.

    Processes that read together look at some patterns each.

    Args:
        patterns: (K, N, N) real, in memory or mapped, possibly a transposed view.
        mask: (N, N) bool, True = good pixel; bad pixels may hold anything.
    """
    count, *shape = patterns.shape
    found = Survey(np.zeros(count, np.int64), np.zeros(shape, dtype=bool), np.zeros(count))
    pieces = list(_pieces(patterns))
    # Pieces across all patterns are of an array in memory, which every process holds.
    here = lookers() if _slowest_axis(patterns) == 0 else ALONE
    for number in here.share(np.arange(len(pieces))):
        part = pieces[number]
        block = np.asarray(patterns[part])
        good = mask[part[1:]]
        if block.dtype.kind in "if":
            wrong = good & ~((block >= 0) & (block < np.inf if block.dtype.kind == "f" else True))
            if wrong.any():
                found.faults[part[0]] += wrong.sum(axis=(1, 2))
                found.faulty[part[1:]] |= wrong.any(axis=0)
                block = np.where(wrong, 0, block)
        lit = block if good.all() else np.where(good, block, 0)
        found.peaks[part[0]] = np.maximum(found.peaks[part[0]], lit.max(axis=(1, 2)))
    return found if here.count == 1 else _of_all(found, here)


def _of_all(mine: Survey, here: Processes) -> Survey:
    """Put together what processes found in their patterns."""
    faults, faulty, peaks = here.fill_in(*(part.astype(np.float64) for part in mine))
    return Survey(faults.astype(np.int64), faulty > 0, peaks)


def _slowest_axis(patterns: Patterns) -> int:
    """Return the axis along which neighbours lie farthest apart."""
    strides = patterns.strides if isinstance(patterns, np.ndarray) else (1, 0, 0)
    return int(np.argmax(np.abs(strides)))


def _pieces(patterns: Patterns) -> Iterator[tuple[slice, slice, slice]]:
    """Cut the slowest axis, so that each byte is read once."""
    axis = _slowest_axis(patterns)
    length = patterns.shape[axis]
    step = max(1, CHUNK_BYTES * length // max(1, patterns.nbytes))
    for start in range(0, length, step):
        part = [slice(None)] * 3
        part[axis] = slice(start, start + step)
        yield part[0], part[1], part[2]


def require_few_faults(
    path: str | Path, key: str, patterns: Patterns, mask: np.ndarray, found: Survey, share: float
) -> None:
    """Refuse patterns that are NaN, infinite or negative in more than a share of good pixels."""
    if found.faulty.sum() > share * mask.sum():
        raise _faulty(path, key, patterns, mask, found)


def require_light(path: str | Path, key: str, patterns: Patterns, found: Survey) -> list[str]:
    """Refuse patterns without any light; say which are dark.

    Returns:
        A sentence about patterns that are all zero, if there are any.
    """
    dark = np.flatnonzero(found.peaks == 0)
    if len(dark) == len(patterns):
        raise refusal(
            path,
            key,
            "only zeros in the good pixels",
            "photons",
            "check that this is the measured array, and the mask",
        )
    if len(dark) == 0:
        return []
    return [f"{len(dark)} of {len(patterns)} patterns are all zero, the first is {dark[0]}."]


def _faulty(
    path: str | Path, key: str, patterns: Patterns, mask: np.ndarray, found: Survey
) -> Exception:
    first = int(np.flatnonzero(found.faults)[0])
    values = np.asarray(patterns[first])[mask]
    kinds = [
        name
        for name, present in (
            ("NaN", np.isnan(values).any()),
            ("infinite", np.isinf(values).any()),
            ("negative", (values < 0).any()),
        )
        if present
    ]
    return refusal(
        path,
        key,
        f"{found.faults[first]} good pixels of pattern {first} that are {' or '.join(kinds)} "
        f"({np.count_nonzero(found.faults)} such patterns, {found.faulty.sum()} pixels in all)",
        "finite values of at least 0",
        "mark those pixels in bad_pixels or repair them",
    )


def decide_domain(
    key: str,
    patterns: Patterns,
    mask: np.ndarray,
    lit: np.ndarray,
    wanted: str,
    *,
    by_user: bool,
) -> tuple[Domain, str]:
    """Decide whether patterns hold photon counts or amplitudes, their square roots.

    Integers are counts, and so are floats that are whole numbers in every good pixel of a sample
    of lit patterns spread over the scan; other floats are amplitudes.

    Args:
        key: The key of the array, for the sentence.
        patterns: (K, N, N) real.
        mask: (N, N) bool, True = good pixel.
        lit: (M,) int, patterns that are not all zero, M >= 1.
        wanted: ``auto``, ``counts`` or ``amplitude``, which overrides.
        by_user: True when the user wants it, False when the file says it.

    Returns:
        The domain, and the sentence that says which, why, and how to override it.
    """
    if wanted in ("counts", "amplitude"):
        domain: Domain = "counts" if wanted == "counts" else "amplitude"
        if by_user:
            return domain, f"{key} is read as {domain} because --domain says so."
        return domain, _domain_said(key, domain, "the file says so")
    if patterns.dtype.kind in "biu":
        return "counts", _domain_said(key, "counts", f"its type is {patterns.dtype}")
    chosen = lit[np.unique(np.linspace(0, len(lit) - 1, min(len(lit), _SAMPLE)).astype(int))]
    for number in chosen:
        values = np.asarray(patterns[number])[mask]
        if (values != np.rint(values)).any():
            return "amplitude", _domain_said(
                key, "amplitude", f"pattern {number} has values that are not whole numbers"
            )
    why = f"the values of {len(chosen)} sampled patterns are whole numbers"
    return "counts", _domain_said(key, "counts", why)


def _domain_said(key: str, domain: Domain, why: str) -> str:
    other = "amplitude" if domain == "counts" else "counts"
    return f"{key} is read as {domain} because {why}; override with --domain {other}."
