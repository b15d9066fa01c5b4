"""The unrolled reconstructor: steps over subsets of the patterns, with small networks between."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import nn

from ptychopinn.config import GeneratorConfig, PieConfig, UnrolledConfig
from ptychopinn.device import threads_of_torch
from ptychopinn.errors import ConfigError
from ptychopinn.generators.canvas_network import CanvasNetwork
from ptychopinn.generators.correction import CHANNELS, Light, correction
from ptychopinn.generators.registry import CanvasGenerator, GeneratorSize, register
from ptychopinn.physics.projection import ModulusStep
from ptychopinn.physics.subsets import EVERY, Subset, visiting_order
from ptychopinn.physics.view import CanvasView

#: Learning rates of the pace of the steps and of the network weights, as multiples of the
#: setting: a handful of numbers may move fast; networks that do soon repeat the noise.
PACE_RATE, NETWORK_RATE = 10.0, 0.01
#: Share of the sweeps, from the first, that take all their subsets.
_FINE_SHARE = 0.6
#: Rows of a canvas that are worked on at once.
_STRIP = 256
#: Pace of the sweeps after the learned stages.
_SWEEP = PieConfig(damping=0.3)


class _Pace(NamedTuple):
    """The learned numbers of one step."""

    momentum: torch.Tensor
    step: torch.Tensor
    damping: torch.Tensor


def _stepped(
    ahead: torch.Tensor,
    asked: torch.Tensor,
    light: torch.Tensor,
    floor: torch.Tensor,
    step: torch.Tensor,
) -> torch.Tensor:
    """Return ahead + step asked / (light + floor), in place of both.

    Args:
        ahead: (B, H, W) complex.
        asked: (B, H, W) complex.
        light: (B, H, W) real.
        floor: (B, 1, 1) real.
        step: A number.
    """
    if not torch.is_inference_mode_enabled():
        # A complex product costs a third of a complex quotient.
        return ahead.add_(asked.mul_(step / (light + floor)))
    # In strips: what a canvas of millions of pixels needs for itself is most of the memory.
    for rows, wanted, lit in zip(
        *(x.split(_STRIP, dim=1) for x in (ahead, asked, light)), strict=True
    ):
        rows.add_(wanted.mul_(step / (lit + floor)))
    return ahead


class Unrolled(CanvasGenerator):
    """Object from all patterns of a canvas at once, by physics steps that learned their pace.

    A stage is a sweep over all patterns in S steps, step j with the patterns of a subset s:

        Y_j     = O_j + m_j (O_j - O_{j-1})                                         momentum
        O_{j+1} = Y_j + b_j sum_{k in s} place(object_update_k(Y_j))
                            / (illumination_s + a_j max(illumination) / S)

    and after a stage, on the canvas,

        O <- O + c coverage Net(O - 1, O - O at start of the stage, coverage, log illumination)

    object_update_k moves the modelled amplitudes towards the measured ones as far as photon noise
    and the error of the model allow (`physics.projection.ModulusStep`). a, b, m are learned for
    each step, c for each stage; the networks start at zero, and off they leave parallel PIE by
    ordered subsets. The probe is an input, so one set of weights serves any
    probe, any number of modes, any N and any scan.

    Args:
        settings: Stages, subsets, networks, and where the learned numbers start.

    Shapes:
        A `CanvasView` with (B, H, W) canvases to (B, H, W) complex.

    Raises:
        ConfigError: The number of subsets is no power of two.

    Knows: the probe, the positions, the counts. Cost: 2 K P FFTs a pattern, and a network pass
    over the canvas for each stage, whatever the number of patterns.
    Source: parallel PIE: Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012); ordered
    subsets: Hudson & Larkin, IEEE Trans. Med. Imaging 13, 601 (1994); momentum: Beck & Teboulle,
    SIAM J. Imaging Sci. 2, 183 (2009); unrolling: Monga, Li & Eldar, IEEE Signal Process. Mag. 38,
    18 (2021).
    """

    def __init__(self, settings: UnrolledConfig) -> None:
        super().__init__()
        if settings.subsets & (settings.subsets - 1):
            raise ConfigError(
                f"generator.unrolled.subsets: expected a power of two, got {settings.subsets}; "
                f"use {1 << (settings.subsets.bit_length() - 1)}."
            )
        self.model_error = settings.model_error
        self.stages = settings.stages
        self.subsets = settings.subsets
        self._first_steps = [
            sum(self._steps_in(earlier) for earlier in range(stage)) for stage in range(self.stages)
        ]
        total = self._first_steps[-1] + self._steps_in(self.stages - 1)
        # Numbers of Python: operations on the device without memory, where bundles are tried first,
        # have torch import its compiler, for a second and a half.
        momentum = [min(step / (step + 3), settings.momentum) for step in range(total)]
        self.momentum = nn.Parameter(torch.tensor(momentum))
        self.log_step = nn.Parameter(torch.tensor([math.log(settings.step)] * total))
        self.log_damping = nn.Parameter(torch.tensor([math.log(settings.damping)] * total))
        self.network_stages = min(settings.network_stages, settings.stages)
        count = min(settings.networks, self.network_stages)
        self.networks = nn.ModuleList(
            CanvasNetwork(CHANNELS, settings.width, settings.depth) for _ in range(count)
        )
        self.network_share: nn.Parameter | None
        share = nn.Parameter(torch.ones(self.network_stages)) if count else None
        self.register_parameter("network_share", share)

    @property
    def pace(self) -> list[nn.Parameter]:
        """The numbers that set the pace of the physics steps."""
        return [self.momentum, self.log_step, self.log_damping]

    @property
    def shares(self) -> list[nn.Parameter]:
        """How much of each network's correction stays."""
        return [] if self.network_share is None else [self.network_share]

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Let the few numbers that set the pace learn faster than the networks.

        Patterns alone would have the networks say ever more, until they repeat the noise: the real
        scan, fine-tuned for a minute with shares that learn as fast as the pace, has 0.038 rad,
        with slow ones 0.032.
        """
        groups = [{"params": self.pace, "lr": PACE_RATE * learning_rate}]
        slow = [*self.shares, *self.networks.parameters()]
        if slow:
            groups.append({"params": slow, "lr": NETWORK_RATE * learning_rate})
        return groups

    @property
    def whole_scan_stages(self) -> int:
        """The learned stages, and after steps over subsets one sweep that is not cut.

        It takes the noise away that small subsets and networks leave: of a real scan 6 % of the
        phase error, of simulated ones at 1e4 photons FRC-0.5 at 0.36 cycles/px instead of 0.32.
        """
        return self.stages + (self.subsets > 1)

    def live_on(self, canvas: torch.device, device: torch.device) -> None:
        """Put the pace beside the canvas; the networks, which see tiles of it, onto the device."""
        self.to(canvas)
        self.networks.to(device)

    def relax(self, share: float) -> None:
        """Keep this share of the networks' corrections."""
        if self.network_share is not None:
            with torch.no_grad():
                self.network_share.mul_(share)

    def _steps_in(self, stage: int) -> int:
        """Return the number of steps of a stage; ever larger subsets bring it to rest."""
        return self.subsets if stage < _FINE_SHARE * self.stages else max(1, self.subsets // 2)

    def _steps(self, stage: int, most: int) -> Iterator[tuple[Subset, _Pace]]:
        """Yield subset and pace of each step of a stage.

        Stages beyond the learned ones are whole sweeps of accelerated PIE: they converge, however
        many are asked for, which a pace that was learned for few steps need not.
        """
        if stage >= self.stages:
            yield EVERY, self._sweep_pace(stage)
            return
        for number, subset in enumerate(visiting_order(min(self._steps_in(stage), most))):
            j = self._first_steps[stage] + number
            pace = _Pace(self.momentum[j], self.log_step[j].exp(), self.log_damping[j].exp())
            yield subset, pace

    def _sweep_pace(self, stage: int) -> _Pace:
        """Return the pace of a whole sweep; the momentum of ordered subsets ends with them."""
        sweep = stage if self.subsets == 1 else stage - self.stages
        numbers = (min(sweep / (sweep + 3), _SWEEP.momentum), _SWEEP.step, _SWEEP.damping)
        return _Pace(*(self.momentum.new_tensor(number) for number in numbers))

    def _network(self, stage: int) -> CanvasNetwork:
        """Return the network that follows a stage."""
        return cast(CanvasNetwork, self.networks[stage * len(self.networks) // self.network_stages])

    def corrected(
        self, canvas: torch.Tensor, before: torch.Tensor, light: Light, stage: int
    ) -> torch.Tensor:
        """Return the (B, H, W) canvas after the network of a stage that began with ``before``."""
        if self.network_share is None:
            return canvas
        with threads_of_torch():
            change = correction(self._network(stage), canvas, before, light)
        share = self.network_share[stage]
        if torch.is_inference_mode_enabled():
            return change.mul_(share).add_(canvas)
        return torch.addcmul(canvas, change, share)

    def sweeps(self, view: CanvasView, stages: int | None = None) -> Iterator[torch.Tensor]:
        """Yield the (B, H, W) complex object after each stage."""
        light = Light.of(view.illumination_of(EVERY), view.seen_share)
        modulus = ModulusStep.for_photons(view.counts_per_pixel, self.model_error)
        current = torch.ones_like(view.illumination) + 0j
        previous = current
        for stage in range(stages or self.stages):
            before = current
            for subset, pace in self._steps(stage, view.subsets):
                # In place and without names where nobody looks any more: a large canvas is most of
                # the memory.
                ahead = (current - previous).mul_(pace.momentum).add_(current)
                previous = current
                floor = pace.damping * light.peak / subset.count
                # What falls on bad pixels asks for nothing, so the rest speaks for it.
                step = pace.step / view.seen_share
                current = _stepped(
                    ahead,
                    view.update(ahead, subset, modulus),
                    view.illumination_of(subset),
                    floor,
                    step,
                )
            if stage < self.network_stages:
                current = self.corrected(current, before, light, stage)
            del before, ahead
            yield current

    def forward(self, view: CanvasView, stages: int | None = None) -> torch.Tensor:
        """Return (B, H, W) complex after ``stages`` sweeps (as trained, when none is given)."""
        canvas = torch.empty(0)
        for canvas in self.sweeps(view, stages):  # noqa: B007
            pass
        return canvas


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
    """Build the classical baseline: `Unrolled` by whole sweeps, without networks."""
    pie = config.pie
    return Unrolled(
        UnrolledConfig(
            stages=pie.stages,
            subsets=1,
            networks=0,
            model_error=pie.model_error,
            step=pie.step,
            damping=pie.damping,
            momentum=pie.momentum,
        )
    )
