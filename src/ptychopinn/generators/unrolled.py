"""The unrolled reconstructor: sweeps over the patterns, with small networks between them."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ptychopinn.config import GeneratorConfig, UnrolledConfig
from ptychopinn.generators.canvas_network import CanvasNetwork
from ptychopinn.generators.registry import CanvasGenerator, GeneratorSize, register
from ptychopinn.physics.view import CanvasView

#: Learning rates of the pace of the stages and of the network weights, as multiples of the
#: setting: a handful of numbers may move fast; networks that do soon repeat the noise.
PACE_RATE, NETWORK_RATE = 20.0, 0.1


class Unrolled(CanvasGenerator):
    """Object from all patterns of a canvas at once, by K physics steps that learned their pace.

        Y_k     = O_k + m_k (O_k - O_{k-1})                                   momentum
        D_k     = sum_j place(object_update_j(Y_k)) / (illumination + a_k max)
        O_{k+1} = Y_k + b_k D_k + coverage Net_k(Y_k - 1, D_k, coverage)     first stages only

    a, b, m are learned for each stage and start from accelerated parallel PIE
    (m_k = k / (k + 3), Nesterov); the networks start at zero, and off they leave exactly that
    classical method. The probe is an input, so one set of weights serves any probe, any number of
    modes, any N and any scan.

    Args:
        settings: Stages, networks, and where the learned numbers start.

    Shapes:
        A `CanvasView` with (B, H, W) canvases to (B, H, W) complex.

    Knows: the probe, the positions, the counts. Cost: 2 K P FFTs a pattern, and a network pass
    over the canvas for each of the first stages, whatever the number of patterns.
    Source: parallel PIE: Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012); momentum:
    Beck & Teboulle, SIAM J. Imaging Sci. 2, 183 (2009); unrolling: Monga, Li & Eldar, IEEE Signal
    Process. Mag. 38, 18 (2021).
    """

    def __init__(self, settings: UnrolledConfig) -> None:
        super().__init__()
        self.stages = settings.stages
        stage = torch.arange(settings.stages, dtype=torch.float32)
        self.momentum = nn.Parameter(settings.momentum * stage / (stage + 3))
        self.log_step = nn.Parameter(torch.full_like(stage, settings.step).log())
        self.log_damping = nn.Parameter(torch.full_like(stage, settings.damping).log())
        self.network_stages = min(settings.network_stages, settings.stages)
        count = min(settings.networks, self.network_stages)
        self.networks = nn.ModuleList(
            CanvasNetwork(5, settings.width, settings.depth) for _ in range(count)
        )

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Let the few numbers that set the pace learn faster than the networks."""
        pace = [self.momentum, self.log_step, self.log_damping]
        groups = [{"params": pace, "lr": PACE_RATE * learning_rate}]
        if self.networks:
            weights = list(self.networks.parameters())
            groups.append({"params": weights, "lr": NETWORK_RATE * learning_rate})
        return groups

    def _pace(self, stage: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return momentum, step and damping; stages beyond the learned ones repeat the last."""
        k = min(stage, self.stages - 1)
        return self.momentum[k], self.log_step[k].exp(), self.log_damping[k].exp()

    def _correction(
        self, stage: int, canvas: torch.Tensor, move: torch.Tensor, coverage: torch.Tensor
    ) -> torch.Tensor:
        """Return coverage * Net(...) of a stage as a complex canvas."""
        network = self.networks[stage * len(self.networks) // self.network_stages]
        seen = torch.stack(
            [canvas.real - 1, canvas.imag, move.real, move.imag, coverage.expand_as(move.real)],
            dim=1,
        )
        answer = network(seen)
        return torch.complex(coverage * answer[:, 0], coverage * answer[:, 1])

    def forward(self, view: CanvasView, stages: int | None = None) -> torch.Tensor:
        """Return (B, H, W) complex after ``stages`` sweeps (as trained, when none is given)."""
        illumination = view.illumination
        peak = illumination.amax(dim=(-2, -1), keepdim=True)
        coverage = illumination / (illumination + 0.05 * peak)
        current = torch.ones_like(illumination) + 0j
        previous = current
        for stage in range(stages or self.stages):
            momentum, step, damping = self._pace(stage)
            ahead = current + momentum * (current - previous)
            move = view.update(ahead) / (illumination + damping * peak)
            previous, current = current, ahead + step * move
            if self.networks and stage < self.network_stages:
                current = current + self._correction(stage, ahead, move, coverage)
        return current


@register(
    "unrolled",
    group_size=16,
    steps=60,
    any_size=True,
    summary="unrolled physics with small networks on the canvas (the default)",
)
def build_unrolled(config: GeneratorConfig, size: GeneratorSize) -> Unrolled:  # noqa: ARG001
    """Build `Unrolled`; it serves any N and C."""
    return Unrolled(config.unrolled)


@register(
    "pie",
    group_size=16,
    steps=0,
    any_size=True,
    summary="parallel PIE with momentum; nothing to train",
)
def build_pie(config: GeneratorConfig, size: GeneratorSize) -> Unrolled:  # noqa: ARG001
    """Build the classical baseline: `Unrolled` without networks."""
    return Unrolled(replace(config.unrolled, networks=0))
