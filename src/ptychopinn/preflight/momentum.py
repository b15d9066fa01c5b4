"""The mean momentum of each pattern, and which orientation makes a gradient of it."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import lsqr
from scipy.spatial import Delaunay, QhullError

from ptychopinn.scan import Scan
from ptychopinn.symmetry import ORIENTATIONS, Turn

#: Pairs of neighbours farther apart than this many median distances are no neighbours.
_FAR = 2.0
#: The four orientations that a field of gradients can tell apart, up to half a turn.
CLASSES = ("stored", "rot90", "flipud", "transpose")
#: Patterns read at a time.
_CHUNK = 128


class GradientMisfit(NamedTuple):
    """How badly the momenta of a scan are a gradient, in each class of orientations."""

    misfit: dict[str, float]
    """0 = a perfect gradient, 1 = nothing of one; by the names in `CLASSES`."""
    patterns: int
    """How many patterns were looked at."""

    def of(self, turn: Turn) -> float:
        """Return the misfit of an orientation; half a turn more makes no difference."""
        half = ORIENTATIONS["rot180"]
        same = (turn, half.after(turn))
        return next(self.misfit[name] for name in CLASSES if ORIENTATIONS[name] in same)

    @property
    def best(self) -> str:
        """The class with the smallest misfit."""
        return min(self.misfit, key=self.misfit.__getitem__)


def mean_momenta(scan: Scan, numbers: np.ndarray) -> np.ndarray:
    """Return (J, 2) float64 centres of light (y, x) of patterns, in detector pixels from N // 2.

    Dark patterns have NaN.

    Args:
        scan: What was measured.
        numbers: (J,) ascending pattern numbers.
    """
    parts = (numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK))
    return np.concatenate([momenta_of(scan.counts(part)) for part in parts])


def momenta_of(counts: np.ndarray) -> np.ndarray:
    """Return (J, 2) centres of light of (J, N, N) counts; see `mean_momenta`."""
    axis = np.arange(counts.shape[-1], dtype=np.float32) - counts.shape[-1] // 2
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    total = rows.sum(axis=1, dtype=np.float64)
    total[total <= 0] = np.nan
    return np.stack([rows @ axis, columns @ axis], axis=1) / total[:, None]


def gradient_misfit(positions_px: np.ndarray, momenta: np.ndarray) -> GradientMisfit | None:
    """Tell orientations apart by which of them makes a gradient of the mean momenta.

        <q>_k = (N / 2 pi) * mean over the probe of grad(phase of the object) + const

    so along closed ways momentum times step adds up to zero, if detector and scan stand to each
    other as they are said to. For neighbours i, j a potential is fitted to
    (<q>_i + <q>_j) / 2 . (r_j - r_i); what it leaves, as a share of the whole, is the misfit.

    Args:
        positions_px: (J, 2) float64.
        momenta: (J, 2) float64, of `mean_momenta`.

    Returns:
        None where positions lie on a line or are too few.

    Cannot tell an orientation from the same and half a turn (the twin), which changes the sign of
    the potential; nor anything where the object has no phase. Source: the centre of mass of
    Mueller et al., Nat. Commun. 5, 5653 (2014); choice of the rotation with the least curl:
    Savitzky et al., Microsc. Microanal. 27, 712 (2021).
    """
    good = np.isfinite(momenta).all(axis=1)
    places, field = positions_px[good], momenta[good] - momenta[good].mean(axis=0)
    pairs = _neighbours(places)
    if pairs is None or not field.any():
        return None
    steps = places[pairs[:, 1]] - places[pairs[:, 0]]
    between = (field[pairs[:, 0]] + field[pairs[:, 1]]) / 2
    difference = _differences(pairs, len(places))
    found = {}
    for name in CLASSES:
        rise = (steps * ORIENTATIONS[name].of_vectors(between)).sum(axis=1)
        potential = lsqr(difference, rise, atol=1e-4, btol=1e-4, iter_lim=200)[0]
        left = rise - difference @ potential
        found[name] = float((left**2).sum() / max(float((rise**2).sum()), 1e-30))
    return GradientMisfit(found, int(good.sum()))


def _neighbours(places: np.ndarray) -> np.ndarray | None:
    """Return (E, 2) pairs of neighbours, or None where there are no triangles."""
    if len(places) < 9:
        return None
    try:
        triangles = Delaunay(places).simplices
    except QhullError:
        return None
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]])
    pairs = np.unique(np.sort(sides, axis=1), axis=0)
    length = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    return pairs[length < _FAR * np.median(length)]


def _differences(pairs: np.ndarray, count: int) -> coo_array:
    """Return the (E, count) matrix that takes differences along pairs."""
    edges = np.arange(len(pairs))
    rows, columns = np.concatenate([edges, edges]), pairs.T.ravel()
    signs = np.repeat([-1.0, 1.0], len(pairs))
    return coo_array((signs, (rows, columns)), shape=(len(pairs), count)).tocsr()
