"""A generator together with the settings that it reconstructs under."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ptychopinn.bundle import Bundle
from ptychopinn.config import Config
from ptychopinn.errors import ConfigError
from ptychopinn.generators import (
    CanvasGenerator,
    Generator,
    GeneratorSize,
    build_generator,
    registration,
)
from ptychopinn.generators.acceleration import accelerated


def require_nothing_to_learn(name: str) -> None:
    """Refuse a generator that cannot reconstruct without trained weights.

    Raises:
        ConfigError: It needs training, or the name is unknown.
    """
    if registration(name).steps:
        raise ConfigError(
            f"generator '{name}' wants trained weights; give --bundle FILE "
            f"(ptychopinn train SCAN --generator {name} makes one), or leave out --generator."
        )


@dataclass(frozen=True)
class ReconstructionModel:
    """A generator ready to reconstruct scans, with the settings that it works under."""

    generator: Generator
    """In evaluation mode."""
    config: Config
    """Its `inference` section rules batch size, stages, cache and device."""
    group_size: int
    """Patterns in a group of a patch generator."""
    name: str
    """For provenance."""
    losses: np.ndarray
    """(E,) training loss of every epoch; empty when it was not trained."""

    def __post_init__(self) -> None:
        """Refuse settings that the generator cannot follow, before any work."""
        _ = self.working_generator

    @cached_property
    def working_generator(self) -> Generator:
        """The generator as the settings let it run; `generator` keeps the weights as trained."""
        settings = self.config.inference
        return accelerated(
            self.generator, bf16=settings.precision == "bf16", compiled=settings.compile
        )

    @property
    def least_patterns(self) -> int:
        """Patterns that a reconstruction wants: a whole group, or two that overlap."""
        return 2 if isinstance(self.generator, CanvasGenerator) else max(2, self.group_size)

    @classmethod
    def from_bundle(cls, bundle: Bundle, config: Config) -> "ReconstructionModel":
        """Take a trained generator, under the inference settings of ``config``."""
        losses = [row["train_loss"] for row in bundle.history if row["train_loss"] is not None]
        settled = replace(bundle.config, inference=config.inference, refinement=config.refinement)
        return cls(
            bundle.generator,
            settled,
            bundle.size.group_size,
            bundle.config.generator.name,
            np.asarray(losses, dtype=np.float64),
        )

    @classmethod
    def untrained(cls, config: Config, n: int) -> "ReconstructionModel":
        """Build a generator that has nothing to learn.

        Raises:
            ConfigError: The generator needs training.
        """
        name = config.generator.name
        require_nothing_to_learn(name)
        known = registration(name)
        generator = build_generator(config.generator, GeneratorSize(n, known.group_size))
        return cls(generator.eval(), config, known.group_size, name, np.empty(0))
