"""What a study is made of, as plain records; nothing here runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ptychopinn.config import Config, FnoConfig, SimulationConfig
from ptychopinn.studies.outcome import Outcome

#: The networks with spectral layers at the size for a GPU: twice the channels of the default, one
#: level and one block more, as many filters in the depth as `cnn` has.
LARGE_FNO = FnoConfig(width=32, modes=16, blocks=4, levels=4, most_channels=128)


@dataclass(frozen=True)
class StudySize:
    """How much work a study is; the only difference between a laptop and a GPU."""

    n: int = 64
    """Side N of a pattern in pixels."""
    patterns: int = 1024
    """Patterns of a scan; the upper half trains."""
    step_px: float = 4.0
    """Distance between neighbouring positions."""
    patch_steps: int = 150
    """Optimiser steps of networks that answer with patches."""
    patch_batch: int = 32
    """Patterns in a batch of theirs, whatever the group size."""
    width: float = 0.25
    """Width of `cnn`."""
    fno: FnoConfig = field(default_factory=FnoConfig)
    """Width, modes, blocks and levels of the networks with spectral layers; at most N // 2 modes
    are used."""
    learning_rate: float = 2e-3
    """Largest step size of networks that answer with patches."""
    canvas_steps: int = 30
    """Optimiser steps of networks that answer with canvases."""
    sweeps: int = 20
    """Sweeps of `pie`."""
    points: tuple[float, ...] = ()
    """What the abscissa of the study runs through: numbers of patterns, or of photons."""
    parts: tuple[int, ...] = ()
    """Numbers of patterns that are reconstructed, where a study asks how few are enough."""


@dataclass(frozen=True)
class Case:
    """One situation that every method has to deal with."""

    name: str
    """Unique in its study."""
    train: SimulationConfig
    """The scan whose upper half is trained on."""
    test: SimulationConfig
    """The scan whose lower half is reconstructed and judged; often the same."""
    group_size: int = 4
    """Patterns in a group of patch networks, C; the others have no such setting."""
    training_patterns: int | None = None
    """Patterns to train on, those nearest to the middle of the upper half; None = all of them."""
    test_patterns: int | None = None
    """Patterns to reconstruct, neighbours in the middle of what is judged; None = the half."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the case stands for, for tables and figures, such as ``{"photons": 1e4}``."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Figures of a publication for the same situation, by path of the metric."""


@dataclass(frozen=True)
class Method:
    """One way from a scan to an image."""

    name: str
    """Unique in its study; names files."""
    kind: Literal["trained", "direct", "shipped"]
    """trained: on the case's training scan; direct: nothing to learn; shipped: with the weights
    that come with the package."""
    config: Config
    """Settings; the case adds its group size."""
    any_size: bool = False
    """One set of weights serves every N and C, so that the case's group size is not used."""


@dataclass(frozen=True)
class Study:
    """Cases times methods, and how the result is shown."""

    name: str
    """As on the command line."""
    cases: tuple[Case, ...]
    methods: tuple[Method, ...]
    draw: Callable[[Outcome, Path], Path]
    """Draws the figure from whatever cells there are."""
    summarise: Callable[[Outcome], dict[str, Any]] = lambda _: {}
    """What the study says in one line a method; goes into the JSON file."""
