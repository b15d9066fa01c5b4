"""What networks of patches see: measured counts as channels of order one."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch

from ptychopinn.config import GeneratorConfig
from ptychopinn.physics.lift import back_projection
from ptychopinn.physics.view import BatchView


class Picture(NamedTuple):
    """The input of a network of patches, and what is known of its answer beforehand."""

    channels: torch.Tensor
    """(B, inputs, N, N) real."""
    estimate: torch.Tensor | None
    """(B, C, N, N) complex, the lifted patches; none without a lift."""


@dataclass(frozen=True)
class PatchInput:
    """Counts to channels: an optional lift, a transform, and which pixels are bad.

        a = sqrt(counts) N / (2 sqrt(sum|P|^2))

    is of order one at every photon number, because the probe holds the photons. Without a lift
    the channels are T(a), with T the transform. With one they are real part - 1 and imaginary part
    of `lift.back_projection` and, beside them, T(a). The last channel is 1 at bad pixels and 0 at
    good ones, so that a network can tell darkness from ignorance: bad pixels carry no counts.

        T: none a (beside a lift: log(1 + a) - 1/2), sqrt sqrt(a), log1p log(1 + a),
           instancenorm (a - mean) / deviation of each pattern

    Args:
        lift: ``none`` or ``backprojection``.
        transform: ``none``, ``sqrt``, ``log1p`` or ``instancenorm``.

    Shapes:
        A `BatchView` of (B, C, N, N) counts to (B, C + 1, N, N), with a lift (B, 3 C + 1, N, N).
    """

    lift: Literal["none", "backprojection"]
    transform: Literal["none", "sqrt", "log1p", "instancenorm"]

    @classmethod
    def of(cls, config: GeneratorConfig) -> "PatchInput":
        """Return the input that the settings ask for."""
        return cls(config.lift, config.input_transform)

    @property
    def lifted(self) -> bool:
        """Tell whether the channels hold a picture of the object."""
        return self.lift == "backprojection"

    @property
    def frame(self) -> Literal["window", "probe"]:
        """Where patches made of it lie: a lift knows the fractions of the positions."""
        return "window" if self.lifted else "probe"

    def count(self, group_size: int) -> int:
        """Return the number of channels for C patterns."""
        return group_size * (3 if self.lifted else 1) + 1

    def __call__(self, view: BatchView) -> Picture:
        """Return the channels of a batch."""
        counts, mask = view.batch.counts, view.batch.mask
        amplitude = self._transformed(_normalised_amplitude(view))
        bad = (1 - mask).expand(len(counts), 1, *mask.shape[-2:]).to(amplitude.dtype)
        if not self.lifted:
            return Picture(torch.cat([amplitude, bad], dim=1), None)
        estimate = back_projection(view)
        channels = [estimate.real - 1, estimate.imag, amplitude, bad]
        return Picture(torch.cat(channels, dim=1), estimate)

    def _transformed(self, amplitude: torch.Tensor) -> torch.Tensor:
        match self.transform:
            case "none":
                return torch.log1p(amplitude) - 0.5 if self.lifted else amplitude
            case "sqrt":
                return amplitude.sqrt()
            case "log1p":
                return torch.log1p(amplitude)
            case "instancenorm":
                deviation, mean = torch.std_mean(amplitude, dim=(-2, -1), keepdim=True)
                return (amplitude - mean) / (deviation + 1e-3)


def _normalised_amplitude(view: BatchView) -> torch.Tensor:
    """Return the square root of the counts, of order one; 0 at bad pixels."""
    counts = torch.where(view.batch.mask > 0, view.batch.counts, 0.0).clamp_min(0)
    power = view.weight.sum(dim=(-2, -1), keepdim=True)
    return counts.sqrt() * (view.probe_size / 2) / power.sqrt()
