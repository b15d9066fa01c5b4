"""A small simulated scan in a file, and records of settings that train on it in a second."""

from dataclasses import dataclass

import pytest

from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from ptychopinn.io import write_scan_npz
from tests.conftest import make_scan


@dataclass
class Records:
    data_config: DataConfig
    model_config: ModelConfig
    training_config: TrainingConfig
    inference_config: InferenceConfig


@pytest.fixture
def records():
    """A small cnn for N = 32, two epochs."""
    return Records(
        DataConfig(N=32, C=4, n_subsample=1, x_bounds=(0, 1), y_bounds=(0, 1)),
        ModelConfig(n_filters_scale=1, amp_activation="sigmoid"),
        TrainingConfig(epochs=2, batch_size=8, device="cpu", num_workers=0),
        InferenceConfig(),
    )


@pytest.fixture
def scan():
    return make_scan(32)


@pytest.fixture
def folder(tmp_path, scan):
    """A folder with one scan."""
    place = tmp_path / "in"
    place.mkdir()
    write_scan_npz(place / "scan.npz", scan)
    return place
