"""Settings of the original that change nothing here, and what holds instead."""

from collections.abc import Container, Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

from ptycho_torch.config_params import DataConfig, ModelConfig
from ptychopinn.errors import ConfigError

_NEIGHBOURS = "groups are drawn from the K nearest neighbours"
_POWER = "patterns are scaled together, by their mean power"
_ATTENTION = "the networks have no attention"
_TUNING = "there is no fine tuning; train for more epochs"
_WEIGHTS = "patches are weighted by the light that fell on them"
_WHOLE = "the image reaches as far as the light"

#: The setting, and what holds whatever it says.
INSTEAD: dict[str, str] = {
    "K_quadrant": _NEIGHBOURS,
    "min_neighbor_distance": _NEIGHBOURS,
    "max_neighbor_distance": _NEIGHBOURS,
    "neighbor_function": _NEIGHBOURS,
    "scan_pattern": _NEIGHBOURS,
    "offset": _NEIGHBOURS,
    "normalize": _POWER,
    "data_scaling": _POWER,
    "intensity_scale": "the scale is derived from the counts",
    "intensity_scale_trainable": "the scale is derived from the counts",
    "probe_scale": "the probe is scaled to the counts",
    "probe_ramp_removal": "the probe is used as it is",
    "probe_mask": "the probe is used as it is",
    "probe_reference_coeff": "the probe is not trained",
    "phase_subtraction": "the truth is turned into the gauge of the probe",
    "object_big": "overlapping patches are always merged",
    "probe_big": "a patch always fills the window",
    "max_position_jitter": "the canvas has room for every position",
    "num_datasets": "all scans of the folder are trained on",
    "experiment_number": "there is one scan",
    "edge_pad": "the convolutions pad by themselves",
    "batch_norm": "the networks have no normalisation layers",
    "use_shared_decoder": "amplitude and phase have a decoder each",
    "decoder_last_amp_channels": "a network answers with one patch for each pattern",
    "cbam_encoder": _ATTENTION,
    "cbam_bottleneck": _ATTENTION,
    "cbam_decoder": _ATTENTION,
    "eca_encoder": _ATTENTION,
    "eca_decoder": _ATTENTION,
    "spatial_decoder": _ATTENTION,
    "decoder_spatial_kernel": _ATTENTION,
    "amplitude_variance_loss": "amp_loss = Mean_Deviation is the nearest that there is",
    "amplitude_variance_coeff": "amp_loss = Mean_Deviation is the nearest that there is",
    "min_lr_ratio": "the rate falls to a hundredth",
    "strategy": "one process trains on one device",
    "framework": "Lightning trains",
    "orchestrator": "Lightning trains",
    "epochs_fine_tune": _TUNING,
    "fine_tune_gamma": _TUNING,
    "enable_staged_finetuning": _TUNING,
    "finetune_stage1_epochs": _TUNING,
    "finetune_stage2_epochs": _TUNING,
    "finetune_stage3_epochs": _TUNING,
    "finetune_stage1_lr_decoder": _TUNING,
    "finetune_stage2_lr_encoder_top": _TUNING,
    "finetune_stage2_lr_decoder": _TUNING,
    "finetune_stage2_lr_phase_head": _TUNING,
    "finetune_stage3_lr_encoder_bottom": _TUNING,
    "finetune_stage3_lr_encoder_top": _TUNING,
    "finetune_stage3_lr_decoder": _TUNING,
    "finetune_stage3_lr_phase_head": _TUNING,
    "finetune_skip_stage3": _TUNING,
    "finetune_early_stop_patience": _TUNING,
    "finetune_val_split": _TUNING,
    "patch_weighting": _WEIGHTS,
    "middle_trim": _WEIGHTS,
    "pad_eval": _WHOLE,
    "window": _WHOLE,
}
#: Settings of the model that repeat the number of patterns in a group.
REPEAT_GROUP_SIZE = ("C_model", "C_forward")


def changed_settings(record: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value and default of every setting that is not at its default."""
    for item in fields(record):
        value, usual = getattr(record, item.name), default_of(item)
        # A checkpoint has lists where the records have tuples.
        alike = tuple(value) == usual if isinstance(usual, tuple) else value == usual
        if not alike:
            yield item.name, value, usual


def default_of(item: Field) -> Any:
    """Return the default of a field of the records, all of which have one."""
    return None if item.default is MISSING else item.default


def told_without_effect(
    data: DataConfig, *records: Any, besides: Container[str] = ()
) -> Iterator[str]:
    """Yield one sentence for each setting that was changed and changes nothing.

    Args:
        data: Its C is what other settings may repeat.
        *records: Records whose settings are looked at.
        besides: Settings that are dealt with elsewhere.
    """
    for record in records:
        for name, value, _ in changed_settings(record):
            repeats = name == "decoder_last_amp_channels" and value == data.C
            if name in INSTEAD and name not in besides and not repeats:
                yield f"{name} = {value!r} has no effect here: {INSTEAD[name]}."


def require_one_group_size(data: DataConfig, model: ModelConfig) -> None:
    """Refuse a model for groups of another size than those of the data.

    Raises:
        ConfigError: C_model or C_forward is neither at its default nor C.
    """
    for name, value, _ in changed_settings(model):
        if name in REPEAT_GROUP_SIZE and value != data.C:
            raise ConfigError(
                f"{name}: found {value}, wanted C = {data.C}; patterns of a group are what the "
                "network sees and what is predicted."
            )
