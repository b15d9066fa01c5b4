"""Generators by name: a class registers itself with a decorator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from ptychopinn.config import GeneratorConfig
from ptychopinn.errors import ConfigError, did_you_mean
from ptychopinn.physics.view import BatchView, CanvasView


class _Trainable(nn.Module):
    """What every generator answers to the optimiser."""

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return parameter groups for the optimiser, each with its own largest rate."""
        return [{"params": list(self.parameters()), "lr": learning_rate}]


class PatchGenerator(_Trainable):
    """A network that answers with one object patch for each pattern.

    ``forward(view)`` takes a `BatchView` and returns (B, C, N, N) complex patches.
    """

    frame: Literal["window", "probe"] = "window"
    """window: patches lie on whole canvas pixels; probe: they move by the position's fraction."""
    knows_half_precision: bool = True
    """Its layers can compute in bfloat16."""
    half_precision: bool = False
    """Compute layers in bfloat16 where torch holds that to be safe."""

    def layers_in_precision(self, channels: torch.Tensor) -> torch.autocast:
        """Return the context for the layers between input and head; physics stays outside of it."""
        return torch.autocast(
            channels.device.type, torch.bfloat16, enabled=self.half_precision, cache_enabled=False
        )

    def forward(self, view: BatchView) -> torch.Tensor:
        """Return (B, C, N, N) complex patches for the patterns of the view."""
        raise TypeError(f"{type(self).__name__} has no forward pass for {type(view).__name__}.")


class CanvasGenerator(_Trainable):
    """A network that sees all patterns of a canvas at once and answers with the canvas.

    ``forward(view, stages)`` takes any `CanvasView` and returns (B, H, W) complex.
    """

    stages: int
    """Sweeps over the patterns in training."""
    subsets: int
    """Most subsets that a sweep is cut into."""

    @property
    def whole_scan_stages(self) -> int:
        """Sweeps over a whole scan when the user does not say."""
        return self.stages

    def live_on(self, canvas: torch.device, device: torch.device) -> None:  # noqa: ARG002
        """Put what works on whole canvases beside them, and large networks onto the device."""
        self.to(canvas)

    def sweeps(self, view: CanvasView, stages: int | None = None) -> Iterator[torch.Tensor]:
        """Yield the (B, H, W) complex object after each sweep; here after the last."""
        yield self(view, stages)

    def forward(self, view: CanvasView, stages: int | None = None) -> torch.Tensor:
        """Return the (B, H, W) complex object for the patterns of the view."""
        raise TypeError(
            f"{type(self).__name__} has no forward pass for {type(view).__name__}, {stages} stages."
        )


Generator = PatchGenerator | CanvasGenerator


@dataclass(frozen=True)
class GeneratorSize:
    """The sizes of the data that a generator is built for."""

    n: int
    """Side N of a pattern in pixels."""
    group_size: int
    """Patterns in a group, C."""


@dataclass(frozen=True)
class Registration:
    """What the package knows about a generator before it is built."""

    build: Callable[[GeneratorConfig, GeneratorSize], Generator]
    group_size: int
    """Patterns in a group when the user does not say."""
    steps: int
    """Optimiser steps when the user gives neither epochs, steps nor seconds; 0 = nothing to learn,
    and reconstruction needs no bundle."""
    any_size: bool
    """One set of weights serves every N and C."""
    summary: str
    """One line for the help."""


_REGISTRY: dict[str, Registration] = {}


def register(
    name: str, *, group_size: int, steps: int, any_size: bool = False, summary: str
) -> Callable[[Callable[[GeneratorConfig, GeneratorSize], Generator]], Callable]:
    """Add a builder under a name: a function of (`GeneratorConfig`, `GeneratorSize`)."""

    def add(build: Callable[[GeneratorConfig, GeneratorSize], Generator]) -> Callable:
        if name in _REGISTRY:
            raise ConfigError(f"generator.name: '{name}' is registered twice.")
        _REGISTRY[name] = Registration(build, group_size, steps, any_size, summary)
        return build

    return add


def generator_names() -> list[str]:
    """Return the names of all registered generators, sorted."""
    return sorted(_REGISTRY)


def registration(name: str) -> Registration:
    """Return what is known of a generator.

    Raises:
        ConfigError: The name is unknown; the known ones are listed.
    """
    if name not in _REGISTRY:
        known = ", ".join(generator_names())
        raise ConfigError(
            f"generator.name: '{name}' is unknown; {did_you_mean(name, _REGISTRY)} Known: {known}."
        )
    return _REGISTRY[name]


def build_generator(config: GeneratorConfig, size: GeneratorSize) -> Generator:
    """Build the generator that the settings name, for data of this size."""
    return registration(config.name).build(config, size)
