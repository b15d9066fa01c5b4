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
def load_kernels() -> ModuleType | None:
    """Return the compiled loops; None where numba is missing.

    The first update does so if nobody did: 0.4 s, and 1.4 s more where they are not compiled yet.
    """
    try:
        return importlib.import_module("ptychopinn.physics.kernels")
    except (ImportError, RuntimeError) as error:  # the latter: nowhere to keep what is compiled
        _LOG.info("sweeps by torch alone, twice as slow: numba does not work here (%s)", error)
        return None


def can_fuse(*waves: torch.Tensor) -> bool:
    """Tell whether `add_update` takes such waves: complex64 on a processor, and numba is there."""
    known = all(w.device.type == "cpu" and w.dtype == torch.complex64 for w in waves)
    return known and load_kernels() is not None


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
    seen, added = corners
    add_back_projected(total, moved_waves(canvas, seen, lit, good, step), added, lit[1])


def moved_waves(
    canvas: torch.Tensor,
    corners: torch.Tensor,
    lit: tuple[torch.Tensor, torch.Tensor],
    good: torch.Tensor,
    step: ModulusStep,
) -> torch.Tensor:
    """Return psi' - psi, (1, C, P, N, N) complex64, as `projection.modulus_residual` does.

    Args:
        canvas: As for `add_update`.
        corners: (1, C, 2) int64, on the canvas.
        lit: As there.
        good: As there.
        step: As there.
    """
    kernels = _require_kernels()
    amplitude, probes = lit[0][0].contiguous(), lit[1][0].contiguous()
    waves = torch.empty_like(probes)
    where = corners[0].contiguous().numpy()
    kernels.light_windows(_as_pairs(canvas[0]), where, _as_pairs(probes), _as_pairs(waves))
    spectrum = torch.fft.fft2(waves, norm="backward")
    numbers = torch.tensor(step, dtype=torch.float32).numpy()
    kernels.move_moduli(_as_pairs(spectrum), amplitude.numpy(), good.numpy(), *numbers)
    return torch.fft.ifft2(spectrum, norm="forward")[None]


def add_back_projected(
    total: torch.Tensor, waves: torch.Tensor, corners: torch.Tensor, probes: torch.Tensor
) -> None:
    """Add sum_p conj(P_kp) psi_kp to the window of each pattern.

    Args:
        total: (1, h, W) complex64, added to in place.
        waves: (1, C, P, N, N) complex64.
        corners: (1, C, 2) int64, on the total.
        probes: (1, C, P, N, N) complex64.
    """
    _require_kernels().add_back_projected(
        _as_pairs(waves[0]),
        _as_pairs(probes[0].contiguous()),
        corners[0].contiguous().numpy(),
        _as_pairs(total[0]),
    )


def _require_kernels() -> ModuleType:
    """Return the compiled loops, for who has asked `can_fuse`."""
    kernels = load_kernels()
    if kernels is None:
        raise RuntimeError("physics.fused: numba does not work here; ask can_fuse first.")
    return kernels


def _as_pairs(values: torch.Tensor) -> np.ndarray:
    """Return complex (..., M) as real (..., 2 M), the same memory."""
    return torch.view_as_real(values).flatten(-2).numpy()
