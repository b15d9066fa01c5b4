"""Settings of the original turned into those of `ptychopinn`: each is mapped, refused, or told."""

import logging
import math
import multiprocessing
import os
from dataclasses import dataclass, field
from typing import Any

import torch

from ptycho.architectures import registered_name, told_of_architecture
from ptycho.schedules import schedule_named, warmup_fraction
from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from ptycho_torch.without_effect import (
    changed_settings,
    require_one_group_size,
    told_without_effect,
)
from ptychopinn.config import CnnConfig, Config, FnoConfig, GeneratorConfig, PhysicsConfig
from ptychopinn.config import DataConfig as Reading
from ptychopinn.config import InferenceConfig as Inference
from ptychopinn.config import TrainingConfig as Optimisation
from ptychopinn.errors import ConfigError, did_you_mean
from ptychopinn.generators import generator_names

_LOG = logging.getLogger("ptycho_torch")

_ACTIVATIONS = {"silu": "swish"}
_OBJECTIVES = {"Unsupervised": "self_supervised", "Supervised": "supervised"}
_LOSSES = {"Poisson": "poisson", "MAE": "amplitude_mae"}
#: An epoch passes over all groups, however many steps that takes.
_WHOLE_EPOCHS = 2**31
_VALIDATION_SHARE = 0.05


@dataclass
class Settings:
    """The four records that rule a model."""

    data: DataConfig = field(default_factory=DataConfig)
    """Patterns, positions and groups."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """What is trained."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """How it is trained."""
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    """How a scan is reconstructed."""


def frozen_config(settings: Settings) -> Config:
    """Return the settings of `ptychopinn` that the records mean.

    Raises:
        ConfigError: A setting is unknown or out of bounds.
    """
    training = settings.training
    require_one_group_size(settings.data, settings.model)
    return Config(
        data=Reading(
            group_size=settings.data.C,
            neighbours=max(settings.data.K, settings.data.C - 1) if settings.data.C > 1 else None,
            groups_per_pattern=float(settings.data.n_subsample),
            validation_fraction=_VALIDATION_SHARE,
        ),
        physics=PhysicsConfig(probe_power="counts" if settings.data.probe_normalize else "keep"),
        generator=generator_config(settings),
        training=Optimisation(
            epochs=training.epochs,
            epoch_steps=_WHOLE_EPOCHS,
            batch_size=training.batch_size,
            objective=_known("mode", settings.model.mode, _OBJECTIVES),
            loss=_loss(settings),
            tv_weight=_weight(settings.model, "Total_Variation"),
            mean_deviation_weight=_weight(settings.model, "Mean_Deviation"),
            learning_rate=training.learning_rate,
            schedule=schedule_named(training.scheduler),
            warmup_fraction=warmup_fraction(training.warmup_epochs, training.epochs),
            gradient_clip=training.gradient_clip_val,
            seed=settings.data.subsample_seed or 0,
            logger="none",
            report="none",
            device=present_device(training.device),
            num_workers=present_workers(training.num_workers),
        ),
        inference=Inference(
            batch_size=batch_size_of(settings.inference),
            checks=False,
            report="none",
            # A model that was trained on an accelerator also reconstructs without one.
            device="auto" if training.device.startswith("cuda") else training.device,
        ),
    )


def generator_config(settings: Settings) -> GeneratorConfig:
    """Return the settings of the generator that the records mean.

    A generator's name as `model_name` chooses it: an application that has no field for the
    architecture has one for the name.
    """
    if settings.model.generator is not None:
        return GeneratorConfig.from_dict(settings.model.generator)
    model = settings.model
    activation: Any = _ACTIVATIONS.get(model.amp_activation, model.amp_activation)
    return GeneratorConfig(
        name=generator_by_name(settings.training.model_name) or registered_name(model.architecture),
        lift=model.lift,  # type: ignore[arg-type]
        cnn=CnnConfig(
            width=model.n_filters_scale / 2,
            amplitude_activation=activation,
            outer_fraction=model.decoder_last_c_outer_fraction,
        ),
        fno=FnoConfig(amplitude_activation=activation),
    )


def generator_by_name(model_name: str) -> str | None:
    """Return the generator that a model is called by, if it is."""
    name = model_name.strip().casefold()
    return name if name in generator_names() else None


def tell_what_has_no_effect(settings: Settings) -> None:
    """Warn of each setting that was changed and changes nothing here, in one line each."""
    data, training = settings.data, settings.training
    told = told_without_effect(data, data, settings.model, training, settings.inference)
    for sentence in (told_of_architecture(settings.model.architecture), *told):
        if sentence is not None:
            _LOG.warning("%s", sentence)
    changed = {name for name, _, _ in changed_settings(data)}
    if "grid_size" in changed and data.C not in (1, math.prod(data.grid_size)):
        _LOG.warning(
            "grid_size = %r has no effect here: groups have C = %d patterns.",
            tuple(data.grid_size),
            data.C,
        )
    if training.n_devices > 1:
        _LOG.warning(
            "%d devices were asked for; the training takes one. Several: torchrun "
            "--nproc-per-node %d -m ptychopinn train SCAN.",
            training.n_devices,
            training.n_devices,
        )


def present_device(name: str) -> str:
    """Return the device that was asked for, or ``cpu`` with a warning where there is none."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        _LOG.warning("device %r was asked for, but there is none here: cpu is used.", name)
        return "cpu"
    return name


def present_workers(asked: int) -> int:
    """Return how many processes may read: none where a process may have no children."""
    if multiprocessing.current_process().daemon:
        return 0
    return min(asked, (os.cpu_count() or 1) - 1)


def batch_size_of(inference: InferenceConfig) -> int | None:
    """Return how many patterns make a batch; None, which suits the machine, at the default."""
    return None if inference.batch_size == InferenceConfig.batch_size else inference.batch_size


def region_of_bounds(
    settings: DataConfig, low: tuple[float, float], high: tuple[float, float]
) -> str:
    """Return the region that the bounds cut out of a scan.

    Args:
        settings: Bounds as shares of the scan's extent.
        low: (y, x) of the first position in pixels.
        high: (y, x) of the last.
    """
    parts = []
    for axis, (start, end) in (("y", settings.y_bounds), ("x", settings.x_bounds)):
        first, last = (low[axis == "x"], high[axis == "x"])
        edges = [first + share * (last - first) for share in (start, end)]
        # The upper bound is not part of a region, but the last position is part of the scan.
        parts.append(f"{axis}:{edges[0]!r}:{math.nextafter(edges[1], math.inf)!r}")
    return ",".join(parts)


def _loss(settings: Settings) -> Any:
    loss = _known("loss_function", settings.model.loss_function, _LOSSES)
    return loss if settings.training.nll else "amplitude_mae"


def _weight(model: ModelConfig, kind: str) -> float:
    """Return the weight of a regulariser of the complex object, the larger where both ask."""
    asked = [(model.amp_loss, model.amp_loss_coeff), (model.phase_loss, model.phase_loss_coeff)]
    return max((float(weight) for name, weight in asked if name == kind), default=0.0)


def _known(name: str, value: str, table: dict[str, str]) -> Any:
    if value not in table:
        raise ConfigError(f"{name}: unknown value {value!r}; {did_you_mean(value, table)}")
    return table[value]
