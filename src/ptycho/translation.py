"""Settings of the original turned into those of `ptychopinn`: each is mapped, refused, or told."""

import logging
from typing import Any

import numpy as np

from ptycho.config.config import ModelConfig, TrainingConfig
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
_OBJECTIVES = {"pinn": "self_supervised", "supervised": "supervised"}
#: Settings that change nothing here, with the value that says so and what holds instead.
_WITHOUT_EFFECT: dict[str, tuple[Any, str]] = {
    "object_big": (True, "overlapping patches are always merged"),
    "probe_big": (True, "a patch always fills the window"),
    "probe_mask": (False, "the probe is used as it is"),
    "pad_object": (True, "fine detail always lies in the central half"),
    "probe_scale": (4.0, "the probe is scaled to the counts"),
    "gaussian_smoothing_sigma": (0.0, "nothing is smoothed"),
    "realspace_mae_weight": (0.0, "the patterns alone judge; model_type supervised uses the truth"),
    "realspace_weight": (0.0, "the patterns alone judge; model_type supervised uses the truth"),
    "intensity_scale_trainable": (True, "the scale is derived from the counts"),
    "backend": ("pytorch", "PyTorch does the work"),
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
    _tell_what_has_no_effect(config)
    seed = {} if config.subsample_seed is None else {"seed": config.subsample_seed}
    return Config(
        data=_data(config, patterns),
        generator=generator_config(config.model),
        training=Optimisation(
            epochs=config.nepochs,
            batch_size=config.batch_size,
            learning_rate=config.torch_learning_rate or config.learning_rate,
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
    return GeneratorConfig(
        name=model.architecture,
        lift=model.lift,  # type: ignore[arg-type]
        cnn=CnnConfig(width=model.n_filters_scale / 2, amplitude_activation=activation),
        fno=FnoConfig(amplitude_activation=activation),
    )


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


def _tell_what_has_no_effect(config: TrainingConfig) -> None:
    for name, (usual, instead) in _WITHOUT_EFFECT.items():
        value = getattr(config.model if hasattr(config.model, name) else config, name)
        if value != usual:
            _LOG.warning("%s = %r has no effect here: %s.", name, value, instead)
