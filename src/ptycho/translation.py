"""Settings of the original turned into those of `ptychopinn`: each is mapped, refused, or told."""

import logging
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from ptycho.architectures import registered_name, told_of_architecture
from ptycho.config.config import InferenceConfig, ModelConfig, TrainingConfig
from ptycho.schedules import schedule_named, warmup_fraction
from ptychopinn.config import (
    CnnConfig,
    Config,
    DataConfig,
    FnoConfig,
    GeneratorConfig,
    RefinementConfig,
)
from ptychopinn.config import TrainingConfig as Optimisation
from ptychopinn.errors import ConfigError
from ptychopinn.scan import Scan

_LOG = logging.getLogger("ptychopinn.original")

_ACTIVATIONS = {"silu": "swish"}
_DEVICES = {"gpu": "cuda"}
_HEADS = {"amp_phase_logits": "amp_phase"}
_OBJECTIVES = {"pinn": "self_supervised", "supervised": "supervised"}
_CHECKPOINT = "the last checkpoint is always kept"
_EVERY_PATTERN = "every pattern is used"
_ONE_MODEL = "the bundle says how its model was made"
#: Settings that change nothing here, with the value that says so and what holds instead.
_OF_THE_MODEL: dict[str, tuple[Any, str]] = {
    "object_big": (True, "overlapping patches are always merged"),
    "probe_big": (True, "a patch always fills the window"),
    "probe_mask": (False, "the probe is used as it is"),
    "pad_object": (True, "fine detail always lies in the central half"),
    "probe_scale": (4.0, "the probe is scaled to the counts"),
    "gaussian_smoothing_sigma": (0.0, "nothing is smoothed"),
    "resnet_width": (None, "there is no residual decoder"),
}
_OF_TRAINING: dict[str, tuple[Any, str]] = {
    "realspace_mae_weight": (0.0, "the patterns alone judge; model_type supervised uses the truth"),
    "realspace_weight": (0.0, "the patterns alone judge; model_type supervised uses the truth"),
    "intensity_scale_trainable": (True, "the scale is derived from the counts"),
    "backend": ("pytorch", "PyTorch does the work"),
    "lr_min_ratio": (0.1, "the rate falls to a hundredth"),
    "plateau_patience": (2, "five epochs without progress make a plateau"),
    "plateau_min_lr": (5e-5, "the rate has no lower bound"),
    "plateau_threshold": (0.0, "progress is a ten-thousandth of the loss"),
    "torch_plateau_patience": (None, "five epochs without progress make a plateau"),
    "torch_plateau_min_lr": (None, "the rate has no lower bound"),
    "torch_plateau_threshold": (None, "progress is a ten-thousandth of the loss"),
    "torch_deterministic": (True, "the same seed gives the same run on a processor"),
    "torch_enable_checkpointing": (True, _CHECKPOINT),
    "torch_checkpoint_save_top_k": (1, _CHECKPOINT),
}
_OF_INFERENCE: dict[str, tuple[Any, str]] = {
    "n_groups": (None, _EVERY_PATTERN),
    "n_images": (None, _EVERY_PATTERN),
    "n_subsample": (None, _EVERY_PATTERN),
    "subsample_seed": (None, _EVERY_PATTERN),
    "neighbor_count": (4, _EVERY_PATTERN),
    "backend": ("pytorch", "PyTorch does the work"),
    "torch_num_workers": (0, "patterns are read by the process itself"),
}


def frozen_config(config: TrainingConfig, patterns: int | None = None) -> Config:
    """Return the settings of `ptychopinn` that a training record means.

    Args:
        config: A record of the original.
        patterns: Number of patterns, to turn a number of groups into a multiple of it.

    Raises:
        ConfigError: A setting is out of bounds, unknown, or cannot be had here.
    """
    if not config.positions_provided:
        raise ConfigError(
            "positions_provided: False was asked for; positions always come from the file here."
        )
    seed = {} if config.subsample_seed is None else {"seed": config.subsample_seed}
    return Config(
        data=_data(config, patterns),
        generator=generator_config(config.model),
        training=Optimisation(
            epochs=config.nepochs,
            batch_size=config.batch_size * config.torch_accumulate_grad_batches,
            learning_rate=config.torch_learning_rate or config.learning_rate,
            schedule=schedule_named(config.torch_scheduler or config.scheduler),
            warmup_fraction=warmup_fraction(config.lr_warmup_epochs, config.nepochs),
            decay=config.torch_plateau_factor or config.plateau_factor,
            optimiser=config.optimizer,  # type: ignore[arg-type]
            weight_decay=config.weight_decay,
            gradient_clip=config.gradient_clip_val or None,
            loss=_loss(config),  # type: ignore[arg-type]
            objective=_objective(config.model),  # type: ignore[arg-type]
            logger=config.torch_logger,  # type: ignore[arg-type]
            device=device_of(config.torch_accelerator),
            num_workers=config.torch_num_workers,
            **seed,  # type: ignore[arg-type]
        ),
        refinement=RefinementConfig(refine_probe=config.probe_trainable),
    )


def device_of(accelerator: str) -> str:
    """Return the name of a device that an accelerator of Lightning means."""
    return _DEVICES.get(accelerator, accelerator)


def chosen_part(scan: Scan, config: TrainingConfig) -> Scan:
    """Return the patterns of a scan that a training record asks for, in their order.

    Args:
        scan: What was measured.
        config: ``n_subsample`` patterns, or all where the scan has no more; drawn by
            ``subsample_seed``, or the first with ``sequential_sampling``.

    Raises:
        ConfigError: ``n_subsample`` is less than 1.
    """
    wanted = config.n_subsample
    if wanted is not None and wanted < 1:
        raise ConfigError(f"n_subsample: found {wanted}, wanted at least 1, or none of it.")
    if wanted is None or wanted >= scan.n_patterns:
        return scan
    drawn = np.random.default_rng(config.subsample_seed or 0).permutation(scan.n_patterns)
    return scan.select(np.arange(wanted) if config.sequential_sampling else np.sort(drawn[:wanted]))


def generator_config(model: ModelConfig) -> GeneratorConfig:
    """Return the settings of the generator that a model record means."""
    activation: Any = _ACTIVATIONS.get(model.amp_activation, model.amp_activation)
    asked = {
        "modes": model.fno_modes,
        "width": model.fno_width,
        "blocks": model.fno_blocks,
        "refiner_blocks": model.fno_cnn_blocks,
        "most_channels": model.max_hidden_channels,
    }
    spectral: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    return GeneratorConfig(
        name=registered_name(model.architecture),
        lift=model.lift,  # type: ignore[arg-type]
        input_transform=model.fno_input_transform,  # type: ignore[arg-type]
        head=_HEADS.get(model.generator_output_mode, model.generator_output_mode),  # type: ignore[arg-type]
        cnn=CnnConfig(width=model.n_filters_scale / 2, amplitude_activation=activation),
        fno=FnoConfig(amplitude_activation=activation, **spectral),
    )


def tell_what_has_no_effect(config: TrainingConfig | InferenceConfig) -> None:
    """Warn of each setting that was changed and changes nothing here, in one line each."""
    model = config.model
    if isinstance(config, TrainingConfig):
        told = [*_told(config, _OF_TRAINING), *_told(model, _OF_THE_MODEL)]
        told.append(told_of_architecture(model.architecture) or "")
    else:
        usual = {item.name: (item.default, _ONE_MODEL) for item in fields(ModelConfig)}
        told = [*_told(config, _OF_INFERENCE), *_told(model, usual)]
    for sentence in filter(None, told):
        _LOG.warning("%s", sentence)


def _told(record: Any, table: dict[str, tuple[Any, str]]) -> Iterator[str]:
    for name, (usual, instead) in table.items():
        value = getattr(record, name)
        if value != usual:
            yield f"{name} = {value!r} has no effect here: {instead}."


def _data(config: TrainingConfig, patterns: int | None) -> DataConfig:
    size = config.model.gridsize**2
    groups = config.n_groups or config.n_images
    share = groups / patterns if groups and patterns else 1.0
    pool = config.neighbor_pool_size or config.neighbor_count
    # One pattern has no neighbours to be drawn from.
    neighbours = max(pool, size - 1) if size > 1 else None
    return DataConfig(group_size=size, neighbours=neighbours, groups_per_pattern=share)


def _objective(model: ModelConfig) -> str:
    if model.model_type not in _OBJECTIVES:
        raise ConfigError(f"model_type: expected pinn or supervised, got {model.model_type!r}.")
    return _OBJECTIVES[model.model_type]


def _loss(config: TrainingConfig) -> str:
    """Return the one loss that two weights ask for."""
    if config.nll_weight > 0 and config.mae_weight > 0:
        raise ConfigError(
            f"nll_weight, mae_weight: found {config.nll_weight:g} and {config.mae_weight:g}, "
            "wanted one of them above 0; set the other to 0."
        )
    if config.nll_weight <= 0 and config.mae_weight <= 0 and config.model.model_type == "pinn":
        raise ConfigError("nll_weight, mae_weight: both are 0; set one of them to 1.")
    return "amplitude_mae" if config.mae_weight > 0 else "poisson"
