"""The last step of every network of patches: two real maps become one complex patch."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

#: The estimate that a head corrects keeps this distance from the ends of a bounded activation,
#: where no gradient flows.
_MARGIN = 0.02


@dataclass(frozen=True)
class Head:
    """Two maps x, y of each patch to complex values, as a correction of an estimate E.

        amp_phase:  A(x + A^-1(|E|)) * exp(i pi tanh(y + artanh(arg E / pi)))
        real_imag:  E + x + i y

    Maps of zeros give back E (1 when there is none), so a network whose last layer is small starts
    from what is known. ``real_imag`` has no bounds: it reaches every complex number, those with
    phases near pi included, and does not care where the phase wraps.

    Args:
        kind: ``amp_phase`` or ``real_imag``.
        activation: A of amp_phase: ``sigmoid`` (times the ceiling), ``softplus``, ``relu`` or
            ``swish`` (not below 0).
        ceiling: Largest amplitude with sigmoid, in units of the gauge.

    Shapes:
        (B, C, N, N) real twice, and (B, C, N, N) complex or nothing, to (B, C, N, N) complex.
    """

    kind: Literal["amp_phase", "real_imag"]
    activation: Literal["sigmoid", "softplus", "relu", "swish"] = "sigmoid"
    ceiling: float = 2.0

    def __call__(
        self, first: torch.Tensor, second: torch.Tensor, estimate: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the complex patches."""
        if estimate is None:
            estimate = torch.ones_like(first) + 0j
        if self.kind == "real_imag":
            return estimate + torch.complex(first, second)
        phase = (estimate.angle() / math.pi).clamp(_MARGIN - 1, 1 - _MARGIN)
        return torch.polar(
            self._positive(first + self._before(estimate.abs())),
            math.pi * torch.tanh(second + torch.atanh(phase)),
        )

    def _positive(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the amplitude activation."""
        match self.activation:
            case "sigmoid":
                return self.ceiling * torch.sigmoid(x)
            case "softplus":
                return F.softplus(x)
            case "relu":
                return F.relu(x)
            case "swish":
                return F.silu(x).clamp_min(0)

    def _before(self, amplitude: torch.Tensor) -> torch.Tensor:
        """Invert the amplitude activation."""
        match self.activation:
            case "sigmoid":
                return torch.logit(amplitude / self.ceiling, eps=_MARGIN)
            case "softplus":
                return torch.log(torch.expm1(amplitude.clamp_min(_MARGIN)))
            case "relu":
                return amplitude.clamp_min(_MARGIN)
            case "swish":
                return _before_swish(amplitude)


def _before_swish(amplitude: torch.Tensor) -> torch.Tensor:
    """Solve x sigmoid(x) = amplitude for x >= 0, by Newton's method."""
    x = amplitude + 0.28
    for _ in range(4):
        slope = torch.sigmoid(x)
        x = x - (x * slope - amplitude) / (slope * (1 + x * (1 - slope)))
    return x


def begin_small(last: nn.Module) -> None:
    """Shrink a last layer: its network starts from the estimate, yet every weight learns at once.

    With zeros, nothing before the last layer would receive a gradient in the first step.
    """
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(0.05)
