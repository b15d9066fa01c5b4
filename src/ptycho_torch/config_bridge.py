"""Settings of the PyTorch package as those of the older one: each is mapped or refused."""

from dataclasses import MISSING, Field, fields
from typing import Any

from ptycho.config.config import InferenceConfig, ModelConfig, TrainingConfig
from ptycho_torch import config_params
from ptycho_torch.translation import unmapped_settings
from ptychopinn.errors import ConfigError

_MODES = {"Unsupervised": "pinn", "Supervised": "supervised"}
#: Settings that the older records have under the same name.
_MODEL = (
    *("N", "n_filters_scale", "architecture", "lift", "amp_activation"),
    *("object_big", "probe_big", "probe_scale"),
)
_MAPPED = {
    *(*_MODEL, "C", "C_model", "C_forward", "grid_size", "K", "mode", "subsample_seed"),
    *("epochs", "batch_size", "learning_rate", "nll", "loss_function"),
    *("intensity_scale_trainable", "model_name", "notes", "device", "num_workers"),
}


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
    if model.mode not in _MODES:
        raise ConfigError(f"mode: expected {' or '.join(_MODES)}, got {model.mode!r}.")
    same: dict[str, Any] = {
        name: getattr(data if hasattr(data, name) else model, name) for name in _MODEL
    }
    named = {**same, "gridsize": _gridsize(data), "model_type": _MODES[model.mode]}
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
        model: From `to_model_config`.
        data: Patterns and groups.
        pt_model: The network, for its loss.
        training: The optimisation.
        overrides: Fields of the result, such as the files, that rule over what the records say.

    Raises:
        ConfigError: A setting that has no counterpart was changed.
    """
    _refuse_what_is_lost(data, pt_model, training)
    likelihood = training.nll and pt_model.loss_function == "Poisson"
    named: dict[str, Any] = {
        "model": model,
        "nepochs": training.epochs,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
        "nll_weight": float(likelihood),
        "mae_weight": float(not likelihood),
        "neighbor_count": data.K,
        "subsample_seed": data.subsample_seed,
        "intensity_scale_trainable": pt_model.intensity_scale_trainable,
    }
    return TrainingConfig(**{**named, **(overrides or {})})


def to_inference_config(
    model: ModelConfig,
    data: config_params.DataConfig,
    inference: config_params.InferenceConfig,
    overrides: dict[str, Any] | None = None,
) -> InferenceConfig:
    """Return how a scan is reconstructed: K to neighbor_count.

    Args:
        model: From `to_model_config`.
        data: Patterns and groups.
        inference: The stitching.
        overrides: Fields of the result, such as the files, that rule over what the records say.

    Raises:
        ConfigError: A setting that has no counterpart was changed.
    """
    _refuse_what_is_lost(data, inference)
    named: dict[str, Any] = {"model": model, "neighbor_count": data.K}
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
    """Refuse changed settings that the older records cannot express."""
    for record in records:
        for item in fields(record):
            changed = getattr(record, item.name) != _default(item)
            if changed and item.name not in _MAPPED | unmapped_settings():
                raise ConfigError(
                    f"{item.name}: {getattr(record, item.name)!r} has no counterpart in "
                    f"ptycho.config.config; leave it at {_default(item)!r}."
                )


def _default(item: Field) -> Any:
    return None if item.default is MISSING else item.default
