"""Long waves of the phase, which sweeps bring to rest last, from how the patterns are shifted."""

import numpy as np
import torch
from scipy import sparse
from scipy.interpolate import RectBivariateSpline
from scipy.sparse.linalg import spsolve

from ptychopinn.inference.scan_view import ScanView
from ptychopinn.physics.refinement import centre_of_mass
from ptychopinn.physics.subsets import Subset

#: Distance of the nodes between which the phase is interpolated, as a share of N.
_SPACING = 0.5
#: Most nodes; a larger canvas gets them farther apart.
_MOST_NODES = 20_000
#: Fewer patterns than this say little about long waves.
_LEAST_PATTERNS = 16
#: What is expected of second differences of the phase between nodes, in rad; photon noise weighs
#: against it.
_BEND = 0.05
#: Rows of the canvas that are turned at once.
_STRIP = 256


def long_wave_phase(view: ScanView, canvas: torch.Tensor, subset: Subset) -> "NodePhase | None":
    """Return the smooth phase that the patterns of a subset ask to add to an object.

        phi = argmin sum_k (grad phi(r_k) - g_k)^T W_k (grad phi(r_k) - g_k) + stiffness

    where W_k g_k and W_k are gradient and normal matrix of `physics.linearised.slope_equations`: a
    slope of the phase shifts a pattern as a whole. Each pattern sees its own slope only, so a
    sweep hands long waves on from neighbour to neighbour; here they are summed up at once. phi is
    bilinear between nodes for the fit, and cubic on the canvas.

    Args:
        view: The whole scan.
        canvas: (1, H, W) complex object.
        subset: Patterns that are asked.

    Returns:
        The phase; None where too few patterns are asked.
    """
    found = view.slopes(canvas, subset)
    asked = found.asked()
    if len(asked) < _LEAST_PATTERNS:
        return None
    height, width = view.canvas_shape
    n = view.scan.n
    spacing = max(_SPACING * n, (height * width / _MOST_NODES) ** 0.5)
    shape = (int(np.ceil(height / spacing)) + 1, int(np.ceil(width / spacing)) + 1)
    light = centre_of_mass(torch.from_numpy(view.scan.probe)).numpy() - n // 2
    places = (view.scan.positions_px[asked] + light) / spacing
    slopes = _slopes_between_nodes(places, shape, spacing)
    weights = found.normal[asked]
    matrix = sum(
        slopes[i].T @ sparse.diags_array(weights[:, i, j]) @ slopes[j]
        for i in (0, 1)
        for j in (0, 1)
    )
    wanted = sum(slopes[i].T @ found.gradient[asked, i] for i in (0, 1))
    floor = 1e-9 * matrix.diagonal().mean()  # the mean phase is nobody's business
    stiff = _second_differences(shape) / _BEND**2 + floor * sparse.eye_array(np.prod(shape))
    nodes = spsolve((matrix + stiff).tocsc(), wanted).reshape(shape)
    return NodePhase(nodes, spacing)


class NodePhase:
    """A phase that is known at nodes of a square grid over the canvas, and cubic between them.

    Args:
        nodes: (h, w) real, rad; two at least along each axis.
        spacing: Distance of the nodes in px.
    """

    def __init__(self, nodes: np.ndarray, spacing: float) -> None:
        self.nodes = nodes
        y, x = (spacing * np.arange(side) for side in nodes.shape)
        degrees = [min(3, side - 1) for side in nodes.shape]
        self._spline = RectBivariateSpline(y, x, nodes, kx=degrees[0], ky=degrees[1])

    def turn(self, canvas: torch.Tensor, share: float = 1.0) -> None:
        """Multiply a (1, H, W) complex canvas by exp(i share phi), in place."""
        _, height, width = canvas.shape
        for first in range(0, height, _STRIP):
            rows = canvas[:, first : first + _STRIP]
            y = np.arange(first, first + rows.shape[1])
            phase = share * self._spline(y, np.arange(width))
            angle = torch.from_numpy(phase.astype(np.float32))
            rows *= torch.polar(torch.ones_like(angle), angle).to(canvas.device)


def _slopes_between_nodes(
    places: np.ndarray, shape: tuple[int, int], spacing: float
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return two (K, nodes) matrices, nodes to slopes along y and x at (K, 2) places.

    Args:
        places: In units of the spacing.
        shape: Of the grid of nodes.
        spacing: In px.
    """
    corner = np.clip(np.floor(places).astype(np.int64), 0, np.array(shape) - 2)
    y, x = (places - corner).T
    first = corner[:, 0] * shape[1] + corner[:, 1]
    columns = np.stack([first, first + 1, first + shape[1], first + shape[1] + 1], axis=1)
    along_y = np.stack([x - 1, -x, 1 - x, x], axis=1) / spacing
    along_x = np.stack([y - 1, 1 - y, -y, y], axis=1) / spacing
    size = (len(places), shape[0] * shape[1])
    rows = np.repeat(np.arange(len(places)), 4)
    first_matrix, second_matrix = (
        sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=size)
        for values in (along_y, along_x)
    )
    return first_matrix, second_matrix


def _second_differences(shape: tuple[int, int]) -> sparse.sparray:
    """Return the (nodes, nodes) matrix of the sum of squared second differences along y and x."""
    along = [
        sparse.diags_array([1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(max(0, side - 2), side))
        for side in shape
    ]
    rows = sparse.kron(along[0], sparse.eye_array(shape[1]))
    columns = sparse.kron(sparse.eye_array(shape[0]), along[1])
    return rows.T @ rows + columns.T @ columns
