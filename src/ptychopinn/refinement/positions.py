"""How positions move: all together by an affine map, then each by itself within a bound."""

import numpy as np

from ptychopinn.physics.subsets import Subset
from ptychopinn.refinement.solver import JointSolver
from ptychopinn.refinement.warp import warp_asked
from ptychopinn.scan import Scan

#: No pattern moves farther than this in one step; farther, the linearised misfit says nothing.
LONGEST_STEP_PX = 0.5
#: Share of a step that the next one repeats.
MOMENTUM = 0.5
#: A pattern that is explained this many times worse than the median is looked for elsewhere,
SUSPICIOUS = 2.0
#: but no more than this share of all patterns at once, the worst first.
MOST_SOUGHT = 0.125
#: Sought and still explained this many times worse than the median, a pattern is not heeded: its
#: traces in the object would be what holds it where it is. More such patterns than are sought at
#: once are no outliers, and are heeded.
DOUBTFUL = 3.0
#: One pattern in so many is asked for the warp, in turns.
WARP_ASKED = 4
#: A warp that would take less than this share of the misfit away is left alone: the model errors
#: of a real scan ask for that much, the next time again, and in the same direction.
LEAST_GAIN = 3e-4
#: Added to normal matrices as a share of their mean trace: what hardly matters hardly moves.
_RIDGE = 1e-3


class Positions:
    """The places of a solver's patterns, and the rules that they move by.

    A common shift is taken out: together with the same shift of the object it changes nothing.
    Windows stay on the canvas.

    Args:
        solver: Its positions are moved.
        scan: Says how large the canvas is.
        bound_px: How far a pattern may get from where the patterns together put it.
        subsets: Steps of a sweep; with fewer than four no part can be left out to be asked, and
            there are no warps.
    """

    def __init__(self, solver: JointSolver, scan: Scan, bound_px: float, subsets: int) -> None:
        self._solver = solver
        self._given = scan.positions_px
        self._base = scan.positions_px.copy()
        self._bound_px = bound_px
        self._low, self._high = canvas_limits(scan)
        self._move = np.zeros_like(self._base)
        self._warps = subsets >= WARP_ASKED
        self._asked = 0
        self._most_sought = int(MOST_SOUGHT * scan.n_patterns)

    def step_affine(self) -> None:
        """Move all patterns by the affine map that lowers their misfit most."""
        gradient, normal, _ = self._solver.equations()
        move = affine_step(self._base, gradient, normal)
        longest = float(np.linalg.norm(move, axis=1).max(initial=0))
        self._move = MOMENTUM * self._move + move * min(1.0, LONGEST_STEP_PX / max(longest, 1e-12))
        wanted = self._solver.positions_px + self._move
        self._base = self._on_canvas(wanted - (wanted - self._given).mean(axis=0))
        self._solver.positions_px = self._base.copy()

    def step_points(self) -> None:
        """Move every pattern by its own Gauss-Newton step."""
        move = point_steps(*self._solver.equations()[:2], LONGEST_STEP_PX)
        self._move = MOMENTUM * self._move + move
        wanted = self._solver.positions_px + self._move
        self._place(wanted - (wanted - self._base).mean(axis=0))

    def step_warp(self, degree: int) -> None:
        """Warp positions and object together, as some of the patterns ask.

        Asked are those that the last sweeps left out: an object that has learned their noise would
        be warped by it. From now on sweeps leave out others.

        With O(r) -> O(r + w(r)) and r_k -> r_k - w(r_k) each pattern changes by what w differs
        across its own probe, see `warp_asked`. Degree 1 keeps an affine map of positions affine.
        """
        if not self._warps:
            return
        part = self._solver.held_out
        self._asked += 1
        self._solver.held_out = Subset(self._asked % WARP_ASKED, WARP_ASKED)
        if part is None:
            return
        places = self._solver.positions_px
        found = self._solver.stretch_equations(part)
        warp, share = warp_asked(places, found, degree)
        if share < LEAST_GAIN:
            return
        warp = warp.no_longer_than(LONGEST_STEP_PX, places)
        self._solver.warp(warp)
        self._solver.positions_px = self._on_canvas(places - warp.at(places))
        self._base = self._on_canvas(self._base - warp.at(self._base))

    def heed_all(self) -> None:
        """Let every pattern ask again, those that were set aside too."""
        self._solver.set_aside[:] = False
        self._solver.held_out = None

    def seek(self, batch_size: int) -> int:
        """Look for badly explained patterns on a grid of one pixel within the bound.

        Gauss-Newton steps find the nearest minimum of the misfit; a pattern that stands several
        pixels off may be in the valley of another one. Those that stay badly explained are set
        aside until the next search: the object heals where others see it, and shows them their
        place then.

        Returns:
            How many were found elsewhere.
        """
        sought = self._worse_than_median(SUSPICIOUS)[: self._most_sought]
        best = np.zeros(len(self._base))
        for pattern in self._solver.processes.share(sought):
            places = self._places_around(pattern)
            best[pattern] = np.argmin(self._solver.misfits_at(int(pattern), places, batch_size))
        (best,) = self._solver.processes.fill_in(best)
        found = np.flatnonzero(best)
        for pattern in found:
            self._solver.positions_px[pattern] = self._places_around(pattern)[int(best[pattern])]
        self._move[:] = 0
        self._solver.set_aside[:] = False
        doubtful = self._worse_than_median(DOUBTFUL)
        if len(doubtful) <= self._most_sought:
            self._solver.set_aside[doubtful] = True
        return len(found)

    def _worse_than_median(self, factor: float) -> np.ndarray:
        """Return the numbers of the worst explained patterns, the worst first."""
        left = self._solver.misfits()
        worst = np.argsort(-left)
        return worst[left[worst] > factor * np.median(left)]

    def _places_around(self, pattern: np.integer) -> np.ndarray:
        """Return (M, 2) places where a pattern is looked for, the first where it is."""
        here = self._solver.positions_px[pattern]
        around = self._base[pattern] + disc(self._bound_px)
        return self._on_canvas(np.concatenate([here[None], around]))

    def _place(self, wanted: np.ndarray) -> None:
        away = wanted - self._base
        distance = np.linalg.norm(away, axis=1, keepdims=True)
        away *= np.minimum(1.0, self._bound_px / np.maximum(distance, 1e-12))
        self._solver.positions_px = self._on_canvas(self._base + away)

    def _on_canvas(self, places: np.ndarray) -> np.ndarray:
        return np.clip(places, self._low, self._high)


def canvas_limits(scan: Scan) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest (y, x) px at which a window lies on the canvas."""
    half = scan.n // 2
    high = np.nextafter(np.array(scan.canvas_shape) - scan.n + half + 1.0, 0)
    return np.full(2, float(half)), high


def disc(radius_px: float) -> np.ndarray:
    """Return (M, 2) whole steps within a radius."""
    reach = np.arange(-np.floor(radius_px), np.floor(radius_px) + 1)
    steps = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
    return steps[np.hypot(steps[:, 0], steps[:, 1]) <= radius_px]


def point_steps(gradient: np.ndarray, normal: np.ndarray, longest_px: float) -> np.ndarray:
    """Return the Gauss-Newton step of every position, (K, 2) px, no longer than a bound.

    Patterns that hardly feel their position (over an even object) hardly move.

    Args:
        gradient: (K, 2), normal: (K, 2, 2), see `physics.linearised.LikelihoodEquations`.
        normal: See gradient.
        longest_px: The bound.
    """
    ridge = _RIDGE * np.trace(normal, axis1=1, axis2=2).mean() + 1e-300
    steps = np.linalg.solve(normal + ridge * np.eye(2), gradient[..., None])[..., 0]
    length = np.linalg.norm(steps, axis=1, keepdims=True)
    return steps * np.minimum(1.0, longest_px / np.maximum(length, 1e-12))


def affine_step(places: np.ndarray, gradient: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return the moves (K, 2) px of the affine map that lowers the linearised misfit most.

        move_k = A (r_k - mean r) / spread + b,   minimising sum_k move . normal . move / 2
                                                                  - gradient . move

    Args:
        places: (K, 2) px.
        gradient: (K, 2), see `physics.linearised.LikelihoodEquations`.
        normal: (K, 2, 2), see there.
    """
    centred = places - places.mean(axis=0)
    spread = max(float(np.sqrt((centred**2).mean())), 1e-12)
    terms = np.concatenate([centred / spread, np.ones((len(places), 1))], axis=1)
    matrix = np.einsum("ka,kij,kb->iajb", terms, normal, terms).reshape(6, 6)
    vector = np.einsum("ka,ki->ia", terms, gradient).reshape(6)
    ridge = _RIDGE * np.trace(matrix) / 6 + 1e-300
    solution = np.linalg.solve(matrix + ridge * np.eye(6), vector).reshape(2, 3)
    return terms @ solution.T
