"""The data step of a processor: FFTs, and one compiled pass over the waves on each side of them."""

import importlib
import logging
from functools import cache
from types import ModuleType

import numpy as np
import torch

from ptychopinn.physics.projection import ModulusStep

_LOG = logging.getLogger(__name__)


@cache
def _kernels() -> ModuleType | None:
    """Return the compiled loops; None where numba is missing."""
    try:
        return importlib.import_module("ptychopinn.physics.kernels")
    except ImportError as error:
        _LOG.info("sweeps by torch alone, twice as slow: numba does not import (%s)", error)
        return None


def can_fuse(*waves: torch.Tensor) -> bool:
    """Tell whether `add_update` takes such waves: complex64 on a processor, and numba is there."""
    known = all(w.device.type == "cpu" and w.dtype == torch.complex64 for w in waves)
    return known and _kernels() is not None


def add_update(
    total: torch.Tensor,
    canvas: torch.Tensor,
    corners: tuple[torch.Tensor, torch.Tensor],
    lit: tuple[torch.Tensor, torch.Tensor],
    good: torch.Tensor,
    step: ModulusStep,
) -> None:
    """Add what patterns ask of an object to a canvas, without gradient.

        total += sum_k place_k( sum_p conj(P_kp) (psi'_kp - psi_kp) ),   psi_kp = P_kp extract_k(O)

    The same as `canvas.cut_windows`, `projection.object_update` and `canvas.add_windows` one
    after the other, which pass over the waves a dozen times; here it is two passes of FFTs and
    three more, while they are in the cache.

    Args:
        total: (1, h, W) complex64, added to in place.
        canvas: (1, H, W) complex64 object.
        corners: (1, C, 2) int64 first pixels of the windows, on ``canvas`` and on ``total``.
        lit: (1, C, N, N) float32 sqrt(counts), zero frequency in the corner, and (1, C, P, N, N)
            complex64 probes.
        good: (N, N) float32, 1 = good, in the order of the amplitudes.
        step: How far a pixel moves.
    """
    kernels = _kernels()
    assert kernels is not None
    amplitude, probes = lit[0][0].contiguous().numpy(), lit[1][0].contiguous()
    lights = _as_pairs(probes)
    waves = torch.empty_like(probes)
    seen, added = (where[0].numpy() for where in corners)
    kernels.light_windows(_as_pairs(canvas[0]), seen, lights, _as_pairs(waves))
    spectrum = torch.fft.fft2(waves, norm="backward")
    numbers = torch.tensor(step, dtype=torch.float32).numpy()
    kernels.move_moduli(_as_pairs(spectrum), amplitude, good.numpy(), *numbers)
    moved = torch.fft.ifft2(spectrum, norm="forward")
    kernels.add_back_projected(_as_pairs(moved), lights, added, _as_pairs(total[0]))


def _as_pairs(values: torch.Tensor) -> np.ndarray:
    """Return complex (..., M) as real (..., 2 M), the same memory."""
    return torch.view_as_real(values).flatten(-2).numpy()
