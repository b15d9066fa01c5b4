import pytest

from ptycho_torch.config_bridge import to_inference_config, to_model_config, to_training_config
from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from ptychopinn.errors import ConfigError


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
