import logging

import pytest
import torch

from ptycho_torch.translation import (
    Settings,
    frozen_config,
    region_of_bounds,
    tell_what_has_no_effect,
)
from ptychopinn.errors import ConfigError
from tests.ptycho_torch.settings import as_ptychodus_passes_them, every_setting, other_value

#: A setting, a value that is not its default, and where that arrives.
MAPPED = [
    ("data", "C", 9, "data.group_size", 9),
    ("data", "K", 7, "data.neighbours", 7),
    ("data", "n_subsample", 3, "data.groups_per_pattern", 3.0),
    ("data", "subsample_seed", 5, "training.seed", 5),
    ("data", "probe_normalize", False, "physics.probe_power", "keep"),
    ("model", "mode", "Supervised", "training.objective", "supervised"),
    ("model", "architecture", "fno", "generator.name", "fno"),
    ("model", "architecture", "neuralop_uno", "generator.name", "uno"),
    ("model", "architecture", "stable_hybrid", "generator.name", "hybrid"),
    ("model", "generator", {"name": "hybrid"}, "generator.name", "hybrid"),
    ("model", "lift", "none", "generator.lift", "none"),
    ("model", "n_filters_scale", 1, "generator.cnn.width", 0.5),
    ("model", "amp_activation", "sigmoid", "generator.cnn.amplitude_activation", "sigmoid"),
    ("model", "decoder_last_c_outer_fraction", 0.5, "generator.cnn.outer_fraction", 0.5),
    ("model", "loss_function", "MAE", "training.loss", "amplitude_mae"),
    ("model", "amp_loss", "Total_Variation", "training.tv_weight", 1.0),
    ("model", "phase_loss", "Mean_Deviation", "training.mean_deviation_weight", 1.0),
    ("training", "epochs", 3, "training.epochs", 3),
    ("training", "batch_size", 4, "training.batch_size", 4),
    ("training", "learning_rate", 0.1, "training.learning_rate", 0.1),
    ("training", "gradient_clip_val", 0.5, "training.gradient_clip", 0.5),
    ("training", "scheduler", "Exponential", "training.schedule", "exponential"),
    ("training", "warmup_epochs", 5, "training.warmup_fraction", 0.1),
    ("training", "nll", False, "training.loss", "amplitude_mae"),
    ("training", "model_name", "unrolled", "generator.name", "unrolled"),
    ("training", "device", "cpu", "training.device", "cpu"),
    ("training", "scheduler", "ReduceLROnPlateau", "training.schedule", "plateau"),
    ("training", "num_workers", 0, "training.num_workers", 0),
    ("training", "device", "cpu", "inference.device", "cpu"),
    ("inference", "batch_size", 3, "inference.batch_size", 3),
]
#: Used elsewhere: the size of the network, the region, the trainer, the regularisers' weights; the
#: checkpoint keeps what is said about a run.
ELSEWHERE = {
    *("N", "x_bounds", "y_bounds", "accum_steps", "amp_loss_coeff", "phase_loss_coeff", "notes"),
}


@pytest.mark.parametrize(("record", "name", "value", "where", "wanted"), MAPPED)
def test_a_setting_arrives(record, name, value, where, wanted):
    settings = Settings()
    setattr(getattr(settings, record), name, value)
    found = frozen_config(settings)
    for part in where.split("."):
        found = getattr(found, part)
    assert found == wanted


@pytest.mark.parametrize(("part", "name"), every_setting())
def test_every_setting_is_mapped_or_refused_or_told(part, name, caplog, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    settings = Settings()
    usual = frozen_config(settings)
    setattr(getattr(settings, part), name, other_value(part, name))
    caplog.clear()
    try:
        dealt_with = frozen_config(settings) != usual
    except ConfigError as error:
        dealt_with = name in str(error)
    tell_what_has_no_effect(settings)
    told = [line for line in caplog.messages if line.startswith(f"{name} = ")]
    told += [line for line in caplog.messages if name == "n_devices" and "devices were" in line]
    assert dealt_with + len(told) == (name not in ELSEWHERE), caplog.text


def test_what_ptychodus_passes_is_silent(caplog):
    settings = as_ptychodus_passes_them()
    for settings.data.C in (1, 4):
        settings.model.C_model = settings.model.C_forward = settings.data.C
        settings.model.decoder_last_amp_channels = settings.data.C
        assert frozen_config(settings).data.group_size == settings.data.C
        tell_what_has_no_effect(settings)
    said_of_devices = 0 if torch.cuda.is_available() else 2
    assert len(caplog.messages) == said_of_devices, caplog.text


def test_a_model_for_groups_of_another_size_is_refused():
    settings = Settings()
    settings.model.C_model = 9
    with pytest.raises(ConfigError, match="C_model: found 9, wanted C = 4"):
        frozen_config(settings)


def test_regularisers_carry_their_weight():
    settings = Settings()
    settings.model.phase_loss, settings.model.phase_loss_coeff = "Total_Variation", 0.25
    assert frozen_config(settings).training.tv_weight == 0.25


def test_a_changed_setting_without_effect_is_told(caplog):
    caplog.set_level(logging.WARNING)
    settings = Settings()
    tell_what_has_no_effect(settings)
    assert not caplog.records
    settings.model.batch_norm = True
    settings.training.n_devices = 2
    tell_what_has_no_effect(settings)
    assert "batch_norm = True has no effect" in caplog.text
    assert "torchrun" in caplog.text


@pytest.mark.parametrize(
    ("record", "name"),
    [("model", "mode"), ("model", "loss_function"), ("training", "scheduler")],
)
def test_an_unknown_value_is_refused_with_the_setting(record, name):
    settings = Settings()
    setattr(getattr(settings, record), name, "nonsense")
    with pytest.raises(ConfigError, match=f"{name}: unknown value 'nonsense'"):
        frozen_config(settings)


def test_bounds_become_a_region_that_holds_the_last_position():
    settings = Settings()
    settings.data.x_bounds, settings.data.y_bounds = (0.0, 1.0), (0.25, 0.75)
    region = region_of_bounds(settings.data, (0.0, 10.0), (8.0, 20.0))
    y, x = region.split(",")
    assert [float(edge) for edge in y.split(":")[1:]] == pytest.approx([2.0, 6.0])
    assert float(x.split(":")[2]) > 20.0
