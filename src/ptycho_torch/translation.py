"""Settings of the original turned into those of `ptychopinn`: each is mapped, refused, or told."""

import logging
import math
import multiprocessing
import os
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
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
_SCHEDULES = {
    "Default": "warmup_cosine",
    "Cosine": "warmup_cosine",
    "WarmupCosine": "warmup_cosine",
    "Exponential": "exponential",
}
#: An epoch passes over all groups, however many steps that takes.
_WHOLE_EPOCHS = 2**31
_VALIDATION_SHARE = 0.05

#: Settings that change nothing here whatever they say, because that is how it always is, or because
#: another setting says the same.
_SAID_ELSEWHERE = frozenset(
    {
        "C_model",
        "C_forward",
        "decoder_last_amp_channels",
        "grid_size",
        "num_datasets",
        "max_position_jitter",
        "offset",
        "edge_pad",
        "intensity_scale",
        "probe_scale",
        "cbam_encoder",
        "decoder_spatial_kernel",
        "experiment_number",
        "middle_trim",
        "pad_eval",
        "window",
        "notes",
        "framework",
        "orchestrator",
        "strategy",
        "data_scaling",
        "normalize",
        "scan_pattern",
        "phase_subtraction",
        "K_quadrant",
        "min_neighbor_distance",
        "max_neighbor_distance",
        "min_lr_ratio",
        "fine_tune_gamma",
        "amplitude_variance_coeff",
    }
)
#: Settings that would matter if they were not at the value at which they change nothing.
_WITHOUT_EFFECT: dict[str, str] = {
    "neighbor_function": "groups are drawn from the K nearest neighbours",
    "probe_ramp_removal": "the probe is used as it is",
    "object_big": "overlapping patches are always merged",
    "probe_big": "a patch always fills the window",
    "intensity_scale_trainable": "the scale is derived from the counts",
    "use_shared_decoder": "amplitude and phase have a decoder each",
    "batch_norm": "the networks have no normalisation layers",
    "cbam_bottleneck": "the networks have no attention",
    "cbam_decoder": "the networks have no attention",
    "eca_encoder": "the networks have no attention",
    "eca_decoder": "the networks have no attention",
    "spatial_decoder": "the networks have no attention",
    "probe_mask": "the probe is used as it is",
    "probe_reference_coeff": "the probe is not trained",
    "amplitude_variance_loss": "amp_loss = Mean_Deviation is the nearest that there is",
    "epochs_fine_tune": "there is no fine tuning; train for more epochs",
    "enable_staged_finetuning": "there is no fine tuning; train for more epochs",
    "patch_weighting": "patches are weighted by the light that fell on them",
}


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
            schedule=_known("scheduler", training.scheduler, _SCHEDULES),
            warmup_fraction=min(0.5, training.warmup_epochs / training.epochs) or 0.05,
            gradient_clip=training.gradient_clip_val,
            seed=settings.data.subsample_seed or 0,
            logger="none",
            report="none",
            device=present_device(training.device),
            num_workers=_workers(training.num_workers),
        ),
        inference=Inference(checks=False, report="none", device="auto"),
    )


def generator_config(settings: Settings) -> GeneratorConfig:
    """Return the settings of the generator that the records mean.

    A generator's name as `model_name` chooses it: an application that has no field for the
    architecture has one for the name.
    """
    if settings.model.generator is not None:
        return GeneratorConfig.from_dict(settings.model.generator)
    model, named = settings.model, settings.training.model_name.strip().casefold()
    activation: Any = _ACTIVATIONS.get(model.amp_activation, model.amp_activation)
    return GeneratorConfig(
        name=named if named in generator_names() else model.architecture,
        lift=model.lift,  # type: ignore[arg-type]
        cnn=CnnConfig(
            width=model.n_filters_scale / 2,
            amplitude_activation=activation,
            outer_fraction=model.decoder_last_c_outer_fraction,
        ),
        fno=FnoConfig(amplitude_activation=activation),
    )


def tell_what_has_no_effect(settings: Settings) -> None:
    """Warn once of each setting that was changed and changes nothing here."""
    for record in (settings.data, settings.model, settings.training, settings.inference):
        for item in fields(record):
            instead = _WITHOUT_EFFECT.get(item.name)
            value = getattr(record, item.name)
            if instead is not None and value != item.default:
                _LOG.warning("%s = %r has no effect here: %s.", item.name, value, instead)
    if settings.training.n_devices > 1:
        _LOG.warning(
            "%d devices were asked for; the training takes one. Several: torchrun "
            "--nproc-per-node %d -m ptychopinn train SCAN.",
            settings.training.n_devices,
            settings.training.n_devices,
        )


def unmapped_settings() -> set[str]:
    """Return the settings that change nothing here: with a warning when changed, or without."""
    stages = {item.name for item in fields(TrainingConfig) if item.name.startswith("finetune_")}
    return set(_WITHOUT_EFFECT) | set(_SAID_ELSEWHERE) | stages


def present_device(name: str) -> str:
    """Return the device that was asked for, or ``cpu`` with a warning where there is none."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        _LOG.warning("device %r was asked for, but there is none here: cpu is used.", name)
        return "cpu"
    return name


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


def _workers(asked: int) -> int:
    """Return how many processes may read: none where a process may have no children."""
    if multiprocessing.current_process().daemon:
        return 0
    return min(asked, (os.cpu_count() or 1) - 1)
