"""Fourier transforms that compiled loops call for themselves: those of Intel MKL in torch.

A batch of waves is larger than the cache of a core, one pattern is not: a loop that lights,
transforms, moves and transforms back one pattern after the other leaves the cache only for what it
reads and adds. It cannot call torch, but torch brings MKL on x86 processors, and what MKL exports
in C (DFTI) it can. Other processors have none, and sweeps go there by whole batches.
"""

import ctypes
import logging
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

_LOG = logging.getLogger(__name__)

#: Numbers of mkl_dfti.h.
_COMPLEX, _COUNT, _STRIDE_IN, _STRIDE_OUT, _THREADS = 32, 7, 14, 15, 27
#: A transform of waves of modulus 1 is right to this share of its largest value.
_TOLERANCE = 1e-5


class MklTransform(NamedTuple):
    """In-place 2-D FFTs of (P, N, N) complex64, without factors, as three addresses.

    forward(plan, data) and backward(plan, data) return 0 where they are well. Several threads may
    use a plan at once.
    """

    forward: int
    backward: int
    plan: int


@cache
def load_transform(n: int, modes: int) -> MklTransform | None:
    """Return the transforms of P waves of N x N; None where torch brings no MKL that does them.

    Args:
        n: Side N.
        modes: Number P of waves that are transformed by one call.
    """
    try:
        return _tried(n, modes)
    except (OSError, AttributeError, ArithmeticError) as error:
        _LOG.info(
            "sweeps by whole batches, somewhat slower: no FFT for single patterns (%s)", error
        )
        return None


def _tried(n: int, modes: int) -> MklTransform:
    """Return transforms that do what those of torch do, to the first and the last wave."""
    library = ctypes.CDLL(str(_library_of_torch()))
    plan = ctypes.c_void_p()
    sides = (ctypes.c_long * 2)(n, n)
    kind, axes = ctypes.c_long(_COMPLEX), ctypes.c_long(2)
    states = [library.DftiCreateDescriptor_s_md(ctypes.byref(plan), kind, axes, sides)]
    settings = {_COUNT: modes, _STRIDE_IN: n * n, _STRIDE_OUT: n * n, _THREADS: 1}
    states += [
        library.DftiSetValue(plan, ctypes.c_long(key), ctypes.c_long(value))
        for key, value in settings.items()
    ]
    states.append(library.DftiCommitDescriptor(plan))
    if any(states) or plan.value is None:
        raise ArithmeticError(f"MKL returned {states} for {modes} x {n} x {n}")
    forward, backward = library.DftiComputeForward, library.DftiComputeBackward
    draw = torch.Generator().manual_seed(0)
    waves = torch.randn(modes, n, n, dtype=torch.complex64, generator=draw)
    for call, like in ((forward, torch.fft.fft2), (backward, torch.fft.ifft2)):
        norm = "backward" if call is forward else "forward"
        answer = like(waves[[0, -1]], norm=norm)
        state = call(plan, ctypes.c_void_p(waves.data_ptr()))
        error = float((waves[[0, -1]] - answer).abs().max())
        if state or not error <= _TOLERANCE * float(answer.abs().max()):
            raise ArithmeticError(f"MKL returned {state}, and is {error:.1e} away from torch")
    return MklTransform(_address(forward), _address(backward), plan.value)


def _address(function: Any) -> int:
    """Return where a function of a shared library begins."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _library_of_torch() -> Path:
    """Return the shared library in which torch keeps what it does on processors."""
    return Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
