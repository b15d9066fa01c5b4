import os

import pytest
import torch

from ptycho_torch.config_bridge import to_inference_config, to_model_config, to_training_config
from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from ptycho_torch.translation import Settings
from ptychopinn.errors import ConfigError
from tests.ptycho_torch.settings import as_ptychodus_passes_them, every_setting, other_value


def bridged(settings):
    """The three older records of four."""
    model = to_model_config(settings.data, settings.model)
    return (
        model,
        to_training_config(model, settings.data, settings.model, settings.training),
        to_inference_config(model, settings.data, settings.inference),
    )


def test_settings_arrive_under_their_older_names():
    data = DataConfig(N=128, C=9, grid_size=(3, 3), K=11, subsample_seed=4)
    model = ModelConfig(mode="Supervised", architecture="fno", n_filters_scale=1)
    training = TrainingConfig(epochs=7, batch_size=3, learning_rate=0.01, nll=False)
    made = to_model_config(data, model)
    assert (made.N, made.gridsize, made.model_type) == (128, 3, "supervised")
    assert (made.architecture, made.n_filters_scale) == ("fno", 1)
    run = to_training_config(made, data, model, training, {"train_data_file": "scan.npz"})
    assert (run.nepochs, run.batch_size, run.learning_rate) == (7, 3, 0.01)
    assert (run.nll_weight, run.mae_weight) == (0.0, 1.0)
    assert (run.neighbor_count, run.subsample_seed) == (11, 4)
    assert (run.model, run.train_data_file) == (made, "scan.npz")
    there = to_inference_config(made, data, InferenceConfig(), {"model_path": "out"})
    assert (there.neighbor_count, there.model_path) == (11, "out")


def test_one_pattern_has_no_grid():
    assert to_model_config(DataConfig(C=1), ModelConfig()).gridsize == 1


def test_a_grid_that_is_no_square_is_refused():
    with pytest.raises(ConfigError, match="grid_size: found 2 x 3 for C = 6"):
        to_model_config(DataConfig(C=6, grid_size=(2, 3)), ModelConfig())


def test_what_would_be_lost_is_refused():
    training = TrainingConfig(gradient_clip_val=1.0)
    data, model = DataConfig(), ModelConfig()
    with pytest.raises(ConfigError, match=r"gradient_clip_val: 1\.0 has no counterpart"):
        to_training_config(to_model_config(data, model), data, model, training)


@pytest.mark.parametrize(("part", "name"), every_setting())
def test_every_setting_is_mapped_or_refused_or_told_once(part, name, caplog, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    settings = Settings()
    if name == "device":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    if name in ("C", "grid_size"):  # a group is a square: one goes with the other
        settings.data.C, settings.data.grid_size = 9, (3, 3)
    usual = bridged(Settings())
    setattr(getattr(settings, part), name, other_value(part, name))
    caplog.clear()
    try:
        dealt_with = bridged(settings) != usual
    except ConfigError as error:
        dealt_with = name in str(error)
    told = [line for line in caplog.messages if line.startswith(f"{name} = ")]
    assert dealt_with + len(told) == 1, caplog.text


def test_what_ptychodus_passes_is_silent(caplog):
    settings = as_ptychodus_passes_them()
    bridged(settings)
    said_of_the_device = 0 if torch.cuda.is_available() else 1
    assert len(caplog.messages) == said_of_the_device, caplog.text


def test_what_is_said_of_the_machine_arrives(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    settings = Settings()
    settings.training.device, settings.training.num_workers = "cpu", 2
    settings.training.model_name = "unrolled"
    settings.inference.batch_size = 3
    model, training, inference = bridged(settings)
    assert (training.torch_accelerator, training.torch_num_workers) == ("cpu", 2)
    assert (model.architecture, training.model.architecture) == ("cnn", "unrolled")
    assert inference.torch_inference_batch_size == 3


def test_a_model_for_groups_of_another_size_is_refused():
    with pytest.raises(ConfigError, match="C_model: found 9, wanted C = 4"):
        to_model_config(DataConfig(), ModelConfig(C_model=9))
