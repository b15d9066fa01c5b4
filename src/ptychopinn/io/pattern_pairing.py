"""Patterns and positions that carry numbers, brought together by them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ptychopinn.io.refusal import refusal
from ptychopinn.scan import OnDisk, Patterns


class Pairing(NamedTuple):
    """Which patterns have a position, and which."""

    rows: np.ndarray
    """(J,) int64, patterns that have a position, in their order."""
    positions: np.ndarray
    """(J, 2) float64, their positions."""
    decisions: list[str]
    """Sentences that say what was left out or averaged."""


def pair_by_index(
    path: str | Path,
    pattern_indexes: np.ndarray,
    position_indexes: np.ndarray | None,
    positions: np.ndarray,
) -> Pairing:
    """Pair patterns with positions of the same number.

    Positions that share a number are averaged; patterns and positions without a partner are left
    out. Without numbers of the positions the order pairs them.

    Args:
        path: The file of the positions, for messages.
        pattern_indexes: (K,) int, number of each pattern.
        position_indexes: (M,) int, number of each position; None = they have none.
        positions: (M, 2) float64.

    Raises:
        DataError: No pattern has a position; or there are no numbers, and not as many positions
            as patterns.
    """
    if position_indexes is None:
        _require_as_many(path, len(pattern_indexes), len(positions))
        return Pairing(np.arange(len(positions)), positions, [])
    known, place, count = np.unique(position_indexes, return_inverse=True, return_counts=True)
    mean = np.stack([np.bincount(place.reshape(-1), column) for column in positions.T], axis=1)
    rows = np.flatnonzero(np.isin(pattern_indexes, known))
    if not len(rows):
        raise refusal(
            path,
            "probe_position_indexes",
            f"numbers {_span(position_indexes)} while patterns have {_span(pattern_indexes)}",
            "some in common",
            "name the files of one scan",
        )
    chosen = np.searchsorted(known, pattern_indexes[rows])
    used = len(np.unique(chosen))
    return Pairing(
        rows,
        mean[chosen] / count[chosen, None],
        _said(len(pattern_indexes) - len(rows), len(known) - used, len(positions) - len(known)),
    )


def chosen_patterns(patterns: Patterns, rows: np.ndarray) -> Patterns:
    """Return some patterns, still on disk where they are; all of them as they are."""
    if len(rows) == len(patterns) and np.array_equal(rows, np.arange(len(patterns))):
        return patterns
    return patterns.select(rows) if isinstance(patterns, OnDisk) else patterns[rows]


def _require_as_many(path: str | Path, patterns: int, positions: int) -> None:
    if patterns != positions:
        raise refusal(
            path,
            "",
            f"{positions} positions for {patterns} patterns, without numbers that pair them",
            "as many positions as patterns",
            "remove those without a partner",
        )


def _span(indexes: np.ndarray) -> str:
    return f"{indexes.min()} to {indexes.max()}" if len(indexes) else "(none)"


def _said(patterns: int, positions: int, repeats: int) -> list[str]:
    said = []
    if patterns:
        said.append(f"{patterns} patterns without a position are left out.")
    if positions:
        said.append(f"{positions} positions without a pattern are left out.")
    if repeats:
        said.append(f"{repeats} further positions of the same patterns are averaged.")
    return said
