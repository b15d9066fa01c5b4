"""Groups of neighbouring patterns, drawn with a KD-tree."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.errors import DataError


@dataclass(frozen=True)
class Groups:
    """Which patterns are looked at together."""

    indices: np.ndarray
    """(G, C) int64 pattern numbers; the first of each row is the centre of the group."""
    extent_px: int
    """Largest distance, per axis, between the windows of one group; canvas side minus N."""

    def __len__(self) -> int:
        """Return the number of groups G."""
        return len(self.indices)


def group_patterns(
    positions_px: np.ndarray,
    size: int,
    count: int,
    *,
    neighbours: int | None = None,
    scan_index: np.ndarray | None = None,
    centres: np.ndarray | None = None,
    rng: np.random.Generator,
) -> Groups:
    """Draw groups: a centre, and C - 1 others from its K nearest neighbours.

    Every centre has a group before one has a second, so ``count`` may exceed the number of
    centres; with ``neighbours`` above C - 1 the repeats differ. The order of the rows
    is random.

    Args:
        positions_px: (K, 2) positions.
        size: Patterns in a group, C.
        count: Number of groups, G.
        neighbours: Nearest neighbours to draw from; None = C - 1, no choice.
        scan_index: (K,) integers; patterns of different scans never share a group.
        centres: Numbers of the patterns that groups are drawn around; None = all.
        rng: Source of randomness.

    Raises:
        DataError: A scan has fewer than C patterns.
    """
    scans = np.zeros(len(positions_px), dtype=np.int64) if scan_index is None else scan_index
    allowed = np.arange(len(positions_px)) if centres is None else centres
    drawn = _repeated(allowed, count, rng)
    indices = np.empty((count, size), dtype=np.int64)
    for label in np.unique(scans):
        members = np.flatnonzero(scans == label)
        if len(members) < size:
            raise DataError(
                f"groups: found {len(members)} patterns in scan {label}, wanted at least the group "
                f"size {size}; make the region larger or set --group-size {len(members)} or less."
            )
        rows = np.flatnonzero(scans[drawn] == label)
        indices[rows] = _neighbourhoods(
            positions_px[members], members, drawn[rows], size, neighbours, rng
        )
    whole = np.floor(positions_px).astype(np.int64)[indices]
    extent = int((whole.max(axis=1) - whole.min(axis=1)).max()) if count else 0
    return Groups(indices, extent)


def _repeated(centres: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many centres in random order, all of them before one comes again."""
    rounds = -(-count // len(centres))
    return np.concatenate([rng.permutation(centres) for _ in range(rounds)])[:count]


def _neighbourhoods(
    positions: np.ndarray,
    members: np.ndarray,
    centres: np.ndarray,
    size: int,
    neighbours: int | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return (G, C) pattern numbers for centres that all lie among the members of one scan."""
    place = np.searchsorted(members, centres)
    if size == 1:
        return centres[:, None]
    reach = min(max(neighbours or size - 1, size - 1), len(members) - 1)
    _, near = cKDTree(positions).query(positions[place], k=reach + 1)
    others = _without_centre(np.atleast_2d(near), place)
    if reach > size - 1:
        order = np.argsort(rng.random(others.shape), axis=1)[:, : size - 1]
        others = np.take_along_axis(others, np.sort(order, axis=1), axis=1)
    return np.concatenate([centres[:, None], members[others]], axis=1)


def _without_centre(near: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Drop each row's own pattern; among identical positions it need not come first."""
    own = near == place[:, None]
    own[~own.any(axis=1), -1] = True
    return near[~own].reshape(len(near), -1)
