"""The smooth warp that object and positions share: neither finds it while the other holds still."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from ptychopinn.physics.linearised import PatternEquations

#: Added to the matrix of a warp, and to those of the positions, as shares of their means.
_RIDGE, _POSITION_RIDGE = 1e-4, 1e-3


@dataclass(frozen=True)
class Warp:
    """A displacement w(r) of polynomials in the place, in px.

        w_i(r) = sum_(a + b = 1 to degree) c_i,ab u^a v^b,   (u, v) = (r - centre) / scale

    A common shift is no warp: it changes no pattern.
    """

    centre: np.ndarray
    """(2,) (y, x) in px."""
    scale: float
    """In px; all places within it have |u|, |v| <= 1."""
    degree: int
    """1 = affine."""
    coefficients: np.ndarray
    """(2, M) of w_y and w_x, in px; by a + b, then by b."""

    def at(self, places: np.ndarray) -> np.ndarray:
        """Return the displacement (..., 2) px at (..., 2) places."""
        terms = _monomials((places - self.centre) / self.scale, self.degree)
        return terms @ self.coefficients.T

    def no_longer_than(self, longest_px: float, places: np.ndarray) -> "Warp":
        """Return the warp, made so weak that it moves none of (K, 2) places farther."""
        length = float(np.linalg.norm(self.at(places), axis=1).max(initial=0.0))
        share = min(1.0, longest_px / max(length, 1e-12))
        return replace(self, coefficients=share * self.coefficients)


def warp_asked(places: np.ndarray, equations: PatternEquations, degree: int) -> tuple[Warp, float]:
    """Return the warp w of the object that patterns together ask for, and what it would explain.

        min over w of  sum_k  e_k^T A_k e_k - 2 b_k^T e_k,   e_k = dw_i/dr_j at r_k
        A_k = N_EE - N_Er N_rr^-1 N_rE,   b_k = g_E - N_Er N_rr^-1 g_r

    each pattern standing at its own best place. Errors of the positions make an object that is
    warped the other way, and a pattern sees no more of that than what is left across its own
    probe. Moves of single positions, with the object as it is, take it out as slowly as sweeps
    do long waves.

    Args:
        places: (K, 2) px.
        equations: Of `physics.refinement.stretch_equations`.
        degree: Of the polynomials.

    Returns:
        The warp, and the share of the misfit that it would take away.
    """
    centre = places.mean(axis=0)
    scale = max(float(np.abs(places - centre).max()), 1e-12)
    asked = equations.asked()
    gradient, normal, misfit = (values[asked] for values in equations)
    own = normal[:, 4:, 4:]
    ridge = _POSITION_RIDGE * np.trace(own, axis1=1, axis2=2).mean() + 1e-300
    through = normal[:, :4, 4:] @ np.linalg.inv(own + ridge * np.eye(2))
    matrices = (normal[:, :4, :4] - through @ normal[:, 4:, :4]).reshape(-1, 2, 2, 2, 2)
    vectors = (gradient[:, :4] - (through @ gradient[:, 4:, None])[..., 0]).reshape(-1, 2, 2)
    slopes = _monomial_slopes((places[asked] - centre) / scale, degree) / scale
    vector = np.einsum("kmj,kij->im", slopes, vectors).ravel()
    matrix = np.einsum("kmj,kijab,knb->iman", slopes, matrices, slopes, optimize=True)
    matrix = matrix.reshape(len(vector), len(vector))
    matrix += (_RIDGE * np.trace(matrix) / len(matrix) + 1e-300) * np.eye(len(matrix))
    solution = np.linalg.solve(matrix, vector)
    gain = float(vector @ solution) / max(float(misfit.sum()), 1e-12)
    return Warp(centre, scale, degree, solution.reshape(2, -1)), gain


def warped_object(canvas: torch.Tensor, warp: Warp) -> torch.Tensor:
    """Return the object O(r + w(r)) on the same canvas, by bicubic interpolation.

    Args:
        canvas: (1, H, W) complex; beyond it the pixels of its border go on.
        warp: w.
    """
    height, width = canvas.shape[1:]
    places = np.moveaxis(np.mgrid[:height, :width].astype(np.float64), 0, -1)
    places = places + warp.at(places)
    places = 2 * places / (np.array([height, width]) - 1.0) - 1
    grid = torch.from_numpy(places[None, ..., ::-1].astype(np.float32))  # torch wants (x, y)
    parts = torch.view_as_real(canvas).permute(0, 3, 1, 2)
    moved = functional.grid_sample(
        parts, grid.to(canvas.device), mode="bicubic", padding_mode="border", align_corners=True
    )
    return torch.view_as_complex(moved.permute(0, 2, 3, 1).contiguous())


def _powers(degree: int) -> list[tuple[int, int]]:
    return [(total - b, b) for total in range(1, degree + 1) for b in range(total + 1)]


def _monomials(places: np.ndarray, degree: int) -> np.ndarray:
    """Return (..., M) u^a v^b at (..., 2) places."""
    u, v = places[..., 0], places[..., 1]
    return np.stack([u**a * v**b for a, b in _powers(degree)], axis=-1)


def _monomial_slopes(places: np.ndarray, degree: int) -> np.ndarray:
    """Return (K, M, 2), their derivatives along u and v at (K, 2) places."""
    u, v = places.T
    along_u = [a * u ** max(a - 1, 0) * v**b for a, b in _powers(degree)]
    along_v = [b * u**a * v ** max(b - 1, 0) for a, b in _powers(degree)]
    return np.stack([np.stack(along_u, axis=1), np.stack(along_v, axis=1)], axis=-1)
