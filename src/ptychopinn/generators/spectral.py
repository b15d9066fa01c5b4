"""The spectral layer of Fourier neural operators, by `neuralop` where it is installed.

``HAS_NEURALOPERATOR`` is true exactly when ``import neuralop`` succeeds (the distribution is called
``neuraloperator``). The library takes seconds to import, so that happens when it is first needed.
"""

import functools
import importlib
import logging
import math
import warnings
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ptychopinn.errors import ConfigError

_LOG = logging.getLogger(__name__)

#: The command that installs `neuralop`.
INSTALL = "pip install neuraloperator"


@functools.cache
def neuralop() -> ModuleType | None:
    """Return the library `neuralop`, or nothing where it does not import; the log says why."""
    try:
        with warnings.catch_warnings():  # it changes the filters of the whole process
            return importlib.import_module("neuralop")
    except ImportError as error:
        _LOG.info("Spectral layers by torch.fft: neuralop does not import (%s).", error)
        return None


def __getattr__(name: str) -> Any:
    """Answer ``HAS_NEURALOPERATOR`` by trying."""
    if name == "HAS_NEURALOPERATOR":
        return neuralop() is not None
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def require_modes(modes: int, n: int) -> None:
    """Refuse frequencies that a pattern of side N does not have.

    Raises:
        ConfigError: More modes than N // 2.
    """
    if modes > n // 2:
        raise ConfigError(
            f"generator.fno.modes: expected at most N // 2 = {n // 2} for patterns of "
            f"{n} x {n} pixels, got {modes}; lower --modes."
        )


class SpectralLayer(nn.Module):
    """A convolution as wide as the picture: weights for the lowest frequencies, zero beyond.

        y = irfft( R(k) rfft(x)(k) ) + bias,   R(k) = 0 unless -m <= k_row < m and 0 <= k_col <= m

    in two dimensions; in one, 0 <= k <= m. Both signs of the row frequency are kept; those of the
    column follow, because x is real. `neuralop`'s SpectralConv computes it where the library is
    installed and an equal road by torch.fft elsewhere; the weights are held here, in one layout,
    so that weights trained with the library serve without it and one seed gives one network.

    Args:
        inputs: Channels in.
        outputs: Channels out.
        modes: Frequencies kept of each axis, m.
        dimensions: 2, or 1 for a transform along the last axis alone.

    Shapes:
        (B, inputs, N, N) real to (B, outputs, N, N) real; (B, inputs, N) in one dimension.

    Source: Li et al., Fourier Neural Operator, ICLR 2021, arXiv:2010.08895.
    """

    def __init__(self, inputs: int, outputs: int, modes: int, dimensions: int = 2) -> None:
        super().__init__()
        self.channels = (inputs, outputs)
        self.n_modes = (2 * modes,) * dimensions
        kept = (*self.n_modes[:-1], modes + 1)
        deviation = math.sqrt(2 / (inputs + outputs))
        # Real and imaginary part in a last axis: optimisers, files and DDP all take real numbers.
        weight = torch.empty(inputs, outputs, *kept, 2)
        # Without memory nothing can be drawn, and torch imports its compiler to find that out.
        if not weight.is_meta:
            weight = torch.randn(weight.shape) * deviation / math.sqrt(2)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(outputs, *(1,) * dimensions))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the filtered channels."""
        weight = torch.view_as_complex(self.weight)
        # neuralop 2.0.0 undoes its fftshift by another one, which is wrong for odd sizes.
        if neuralop() is None or any(size % 2 for size in x.shape[2:-1]):
            return _by_fft(x, weight) + self.bias
        lent = {"weight.tensor": weight, "bias": self.bias}
        return torch.func.functional_call(_operator(*self.channels, self.n_modes), lent, (x,))


@functools.cache
def _operator(inputs: int, outputs: int, n_modes: tuple[int, ...]) -> nn.Module:
    """Return `neuralop`'s layer without memory of its own; weights are lent to it at each call."""
    layers = importlib.import_module("neuralop.layers.spectral_convolution")
    with torch.device("meta"):
        layer: nn.Module = layers.SpectralConv(inputs, outputs, n_modes)
    return layer


def _by_fft(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Compute the spectral layer with torch.fft alone; weights in the order of `neuralop`.

    Rows of the weights run over frequencies -m ... m - 1, columns over 0 ... m.
    """
    axes = tuple(range(2, x.ndim))
    spectrum = torch.fft.rfftn(x, dim=axes, norm="forward")
    answer = spectrum.new_zeros(len(x), weight.shape[1], *spectrum.shape[2:])
    columns = weight.shape[-1]
    if len(axes) == 1:
        answer[..., :columns] = torch.einsum("bix,iox->box", spectrum[..., :columns], weight)
    else:
        half = weight.shape[2] // 2
        for rows, of in (
            (slice(-half, None), slice(None, half)),
            (slice(None, half), slice(half, None)),
        ):
            answer[:, :, rows, :columns] = torch.einsum(
                "bixy,ioxy->boxy", spectrum[:, :, rows, :columns], weight[:, :, of]
            )
    return torch.fft.irfftn(answer, s=x.shape[2:], dim=axes, norm="forward")
