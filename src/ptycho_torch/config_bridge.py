"""Settings of the PyTorch package as those of the older one: mapped, refused, or told."""

import logging
from dataclasses import replace
from typing import Any

from ptycho.config.config import InferenceConfig, ModelConfig, TrainingConfig
from ptycho_torch import config_params
from ptycho_torch.translation import (
    batch_size_of,
    generator_by_name,
    present_device,
    present_workers,
)
from ptycho_torch.without_effect import (
    INSTEAD,
    REPEAT_GROUP_SIZE,
    changed_settings,
    require_one_group_size,
    told_without_effect,
)
from ptychopinn.errors import ConfigError

_LOG = logging.getLogger("ptycho_torch")

_MODES = {"Unsupervised": "pinn", "Supervised": "supervised"}
#: Settings that the older records have under the same name.
_MODEL = (
    *("N", "n_filters_scale", "architecture", "lift", "amp_activation"),
    *("object_big", "probe_big", "probe_scale"),
)
_MAPPED = {
    *(*_MODEL, "C", *REPEAT_GROUP_SIZE, "grid_size", "K", "mode", "subsample_seed", "probe_mask"),
    *("epochs", "batch_size", "learning_rate", "nll", "loss_function", "device", "num_workers"),
}
#: For the record of a checkpoint, which the older records do not make.
_NOT_KEPT = ("notes", "model_name")


def to_model_config(
    data: config_params.DataConfig,
    model: config_params.ModelConfig,
    overrides: dict[str, Any] | None = None,
) -> ModelConfig:
    """Return what is trained: grid_size to gridsize, mode to model_type.

    Args:
        data: Patterns and groups.
        model: The network.
        overrides: Fields of the result that rule over what the records say.

    Raises:
        ConfigError: A setting that has no counterpart was changed, or the group is no square.
    """
    _refuse_what_is_lost(data, model)
    require_one_group_size(data, model)
    _tell_what_has_no_effect(data, data, model)
    if model.mode not in _MODES:
        raise ConfigError(f"mode: expected {' or '.join(_MODES)}, got {model.mode!r}.")
    same: dict[str, Any] = {
        name: getattr(data if hasattr(data, name) else model, name) for name in _MODEL
    }
    named = {
        **same,
        "gridsize": _gridsize(data),
        "model_type": _MODES[model.mode],
        "probe_mask": model.probe_mask is not None,
    }
    return ModelConfig(**{**named, **(overrides or {})})


def to_training_config(
    model: ModelConfig,
    data: config_params.DataConfig,
    pt_model: config_params.ModelConfig,
    training: config_params.TrainingConfig,
    overrides: dict[str, Any] | None = None,
) -> TrainingConfig:
    """Return how it is trained: epochs to nepochs, K to neighbor_count, nll to nll_weight.

    Args:
        model: From `to_model_config`; a generator's name as `model_name` rules over its
            architecture.
        data: Patterns and groups.
        pt_model: The network, for its loss.
        training: The optimisation.
        overrides: Fields of the result, such as the files, that rule over what the records say.

    Raises:
        ConfigError: A setting that has no counterpart was changed.
    """
    _refuse_what_is_lost(data, pt_model, training)
    _tell_what_has_no_effect(data, training)
    generator = _named_generator(training)
    likelihood = training.nll and pt_model.loss_function == "Poisson"
    named: dict[str, Any] = {
        "model": model if generator is None else replace(model, architecture=generator),
        "nepochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "nll_weight": float(likelihood),
        "mae_weight": float(not likelihood),
        "neighbor_count": data.K,
        "subsample_seed": data.subsample_seed,
        "torch_accelerator": present_device(training.device),
        "torch_num_workers": present_workers(training.num_workers),
    }
    return TrainingConfig(**{**named, **(overrides or {})})


def to_inference_config(
    model: ModelConfig,
    data: config_params.DataConfig,
    inference: config_params.InferenceConfig,
    overrides: dict[str, Any] | None = None,
) -> InferenceConfig:
    """Return how a scan is reconstructed: K to neighbor_count, and the size of batches.

    Args:
        model: From `to_model_config`.
        data: Patterns and groups.
        inference: The stitching.
        overrides: Fields of the result, such as the files, that rule over what the records say.

    Raises:
        ConfigError: A setting that has no counterpart was changed.
    """
    _refuse_what_is_lost(data, inference)
    _tell_what_has_no_effect(data, inference)
    named: dict[str, Any] = {
        "model": model,
        "neighbor_count": data.K,
        "subsample_seed": data.subsample_seed,
        "torch_inference_batch_size": batch_size_of(inference),
    }
    return InferenceConfig(**{**named, **(overrides or {})})


def _gridsize(data: config_params.DataConfig) -> int:
    """Return the side of the square of C patterns; one pattern has no grid."""
    if data.C == 1:
        return 1
    rows, columns = data.grid_size
    if rows != columns or rows * columns != data.C:
        raise ConfigError(
            f"grid_size: found {rows} x {columns} for C = {data.C}, wanted a square of C patterns."
        )
    return rows


def _refuse_what_is_lost(*records: Any) -> None:
    """Refuse changed settings that the older records cannot express and `ptycho_torch` can."""
    dealt_with = {*_MAPPED, *_NOT_KEPT, *INSTEAD}
    for record in records:
        for name, value, usual in changed_settings(record):
            if name not in dealt_with:
                raise ConfigError(
                    f"{name}: {value!r} has no counterpart in ptycho.config.config; leave it at "
                    f"{usual!r}."
                )


def _tell_what_has_no_effect(data: config_params.DataConfig, *records: Any) -> None:
    """Warn of changed settings that change nothing, but for those that are mapped.

    Of those `ptycho.translation` tells, with the others of the older records.
    """
    for sentence in told_without_effect(data, *records, besides=_MAPPED):
        _LOG.warning("%s", sentence)


def _named_generator(training: config_params.TrainingConfig) -> str | None:
    """Return the generator that a model's name chooses; tell that another name is not kept."""
    for name, value, _ in changed_settings(training):
        named = name == "model_name" and generator_by_name(value)
        if name in _NOT_KEPT and not named:
            _LOG.warning("%s = %r has no effect here: it is not kept.", name, value)
    return generator_by_name(training.model_name)
