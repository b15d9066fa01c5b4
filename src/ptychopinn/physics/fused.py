"""What patterns predict and ask for on a processor, compiled: each stays in the cache meanwhile."""

import importlib
import logging
import threading
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch

from ptychopinn.physics.canvas import add_windows, cut_windows
from ptychopinn.physics.diffraction import diffract_in_corner
from ptychopinn.physics.fourier import intensity
from ptychopinn.physics.linearised import (
    DARK,
    RATE_FLOOR,
    LikelihoodEquations,
    slope_equations,
)
from ptychopinn.physics.mkl_transform import MklTransform, load_transform
from ptychopinn.physics.probe import phase_ramps, probes_at
from ptychopinn.physics.projection import ModulusStep

_LOG = logging.getLogger(__name__)

#: Whoever waits longer than this for the loops is told why, in seconds.
_LONG_S = 2.0


@cache
def load_kernels() -> ModuleType | None:
    """Return the compiled loops; None where numba is missing.

    The first update does so if nobody did: 0.4 s, and 8 s more where they are not compiled yet,
    which is said.
    """
    said = threading.Timer(_LONG_S, _LOG.info, ["compiling loops for this processor, once ..."])
    said.daemon = True
    said.start()
    try:
        return importlib.import_module("ptychopinn.physics.kernels")
    except (ImportError, RuntimeError) as error:  # the latter: nowhere to keep what is compiled
        _LOG.info("sweeps by torch alone, twice as slow: numba does not work here (%s)", error)
        return None
    finally:
        said.cancel()


def can_fuse(*waves: torch.Tensor) -> bool:
    """Tell whether `add_update` takes such waves: complex64 on a processor, and numba is there."""
    known = all(w.device.type == "cpu" and w.dtype == torch.complex64 for w in waves)
    return known and load_kernels() is not None


def moved_probes(probe: torch.Tensor, fractions: torch.Tensor) -> torch.Tensor:
    """Return what `probe.probes_at` does, without gradient, in one pass where that can be.

    Args:
        probe: (P, N, N) complex.
        fractions: (K, 2) real, (y, x) in px.

    Returns:
        (K, P, N, N) complex.
    """
    modes, n, _ = probe.shape
    transform = _transform_for(probe)
    if transform is None:
        return probes_at(probe, fractions)
    kernels = _require_kernels()
    rows, columns = phase_ramps(fractions, n, probe.dtype)
    spectrum = torch.fft.fft2(probe, norm="forward")  # its 1/N^2 is that of the way back
    probes = probe.new_empty(len(fractions), modes, n, n)
    said = kernels.move_probes(
        _as_pairs(spectrum.contiguous()),
        _as_pairs(rows.flatten(1).contiguous()),
        _as_pairs(columns.flatten(1).contiguous()),
        tuple(transform),
        _as_pairs(probes),
    )
    _require_success(said)
    return probes


def predicted_counts(
    canvas: torch.Tensor, corners: torch.Tensor, probes: torch.Tensor
) -> torch.Tensor:
    """Return what `diffraction.diffract_in_corner` gives for windows of a canvas, no gradient.

    Args:
        canvas: (1, H, W) complex.
        corners: (1, C, 2) int64 first pixels of the windows.
        probes: (1, C, P, N, N) complex.

    Returns:
        (1, C, N, N) real photons.
    """
    n = probes.shape[-1]
    transform = _transform_for(probes, canvas)
    if transform is None:
        return diffract_in_corner(cut_windows(canvas, corners, n), probes)
    lit = probes[0].contiguous()
    rates = torch.empty(len(lit), n, n)
    where = corners[0].contiguous().numpy()
    said = _require_kernels().predict_rates(
        _as_pairs(canvas[0]), where, _as_pairs(lit), tuple(transform), rates.numpy()
    )
    _require_success(said)
    return rates[None]


def asked_slopes(
    canvas: torch.Tensor,
    corners: torch.Tensor,
    lit: tuple[torch.Tensor, torch.Tensor],
    good: torch.Tensor,
) -> LikelihoodEquations:
    """Return what `linearised.slope_equations` gives for windows of a canvas, no gradient.

    Args:
        canvas: (1, H, W) complex.
        corners: (1, C, 2) int64 first pixels of the windows.
        lit: As for `add_update`.
        good: As there.
    """
    amplitude, probes = lit
    n = probes.shape[-1]
    transform = _transform_for(probes, canvas)
    if transform is None:
        return slope_equations(cut_windows(canvas, corners, n), probes, amplitude, good)
    answers = np.empty((len(amplitude[0]), 6))
    said = _require_kernels().ask_slopes(
        _as_pairs(canvas[0]),
        corners[0].contiguous().numpy(),
        amplitude[0].contiguous().numpy(),
        _as_pairs(probes[0].contiguous()),
        good.numpy(),
        (np.float32(RATE_FLOOR), np.float32(DARK)),
        tuple(transform),
        answers,
    )
    _require_success(said)
    found = torch.from_numpy(answers)[None]
    normal = found[..., [2, 3, 3, 4]].unflatten(-1, (2, 2))
    return LikelihoodEquations(found[..., :2], normal, found[..., 5])


def add_light(total: torch.Tensor, probes: torch.Tensor, corners: torch.Tensor) -> None:
    """Add sum_p |P_kp|^2 to the window of each pattern, without gradient.

    Args:
        total: (1, h, W) real, added to in place.
        probes: (1, C, P, N, N) complex.
        corners: (1, C, 2) int64, on the total.
    """
    if not can_fuse(probes):
        add_windows(total, intensity(probes), corners)
        return
    where = corners[0].contiguous().numpy()
    _require_kernels().add_light(_as_pairs(probes[0].contiguous()), where, total[0].numpy())


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
    after the other, which pass over the waves of a batch a dozen times. Here each pattern goes all
    the way by itself, in the cache; without `mkl_transform` the batch makes five passes.

    Args:
        total: (1, h, W) complex64, added to in place.
        canvas: (1, H, W) complex64 object.
        corners: (1, C, 2) int64 first pixels of the windows, on ``canvas`` and on ``total``.
        lit: (1, C, N, N) float32 sqrt(counts), zero frequency in the corner, and (1, C, P, N, N)
            complex64 probes.
        good: (N, N) float32, 1 = good, in the order of the amplitudes.
        step: How far a pixel moves.
    """
    kernels = _require_kernels()
    seen, added = corners
    transform = _transform_for(lit[1])
    if transform is None:
        add_back_projected(total, moved_waves(canvas, seen, lit, good, step), added, lit[1])
        return
    pixels, where, *asked = _arguments(canvas, seen, lit, good, step)
    both = (where, added[0].contiguous().numpy())
    said = kernels.add_update(pixels, both, *asked, tuple(transform), _as_pairs(total[0]))
    _require_success(said)


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
    pixels, where, amplitude, probes, known, numbers = _arguments(canvas, corners, lit, good, step)
    waves = torch.empty_like(lit[1][0], memory_format=torch.contiguous_format)
    pairs = _as_pairs(waves)
    transform = _transform_for(waves)
    if transform is not None:
        asked = (amplitude, probes, known, numbers, tuple(transform))
        _require_success(kernels.move_waves(pixels, where, *asked, pairs))
        return waves[None]
    kernels.light_windows(pixels, where, probes, pairs)
    spectrum = torch.fft.fft2(waves, norm="backward")
    kernels.move_moduli(_as_pairs(spectrum), amplitude, known, numbers)
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


def _arguments(
    canvas: torch.Tensor,
    corners: torch.Tensor,
    lit: tuple[torch.Tensor, torch.Tensor],
    good: torch.Tensor,
    step: ModulusStep,
) -> tuple[Any, ...]:
    """Return canvas, corners, amplitudes, probes, good pixels and step as the loops want them."""
    return (
        _as_pairs(canvas[0]),
        corners[0].contiguous().numpy(),
        lit[0][0].contiguous().numpy(),
        _as_pairs(lit[1][0].contiguous()),
        good.numpy(),
        tuple(np.float32(number) for number in step),
    )


def _transform_for(waves: torch.Tensor, *others: torch.Tensor) -> MklTransform | None:
    """Return the transforms of (..., P, N, N) waves; None where no loop takes them or others."""
    return load_transform(waves.shape[-1], waves.shape[-3]) if can_fuse(waves, *others) else None


def _require_success(said: int) -> None:
    """Stop where a transform did not work; it never should, for the plan was tried before."""
    if said:
        raise RuntimeError(f"physics.fused: a Fourier transform of MKL failed and returned {said}.")


def _as_pairs(values: torch.Tensor) -> np.ndarray:
    """Return complex (..., M) as real (..., 2 M), the same memory."""
    return torch.view_as_real(values).flatten(-2).numpy()
