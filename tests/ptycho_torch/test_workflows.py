import zipfile

import numpy as np
import pytest

from ptycho.config.config import ModelConfig, TrainingConfig
from ptycho.raw_data import RawData
from ptycho_torch.model_manager import load_torch_bundle, save_torch_bundle
from ptycho_torch.reassembly import reassemble_position
from ptycho_torch.workflows.components import (
    _LossHistoryCallback,
    load_inference_bundle_torch,
    run_cdi_example_torch,
)
from ptychopinn.training.history import History


@pytest.fixture
def config():
    model = ModelConfig(N=32, gridsize=2, n_filters_scale=1)
    return TrainingConfig(model=model, nepochs=2, batch_size=8)


def test_training_stitching_and_a_bundle_that_gives_the_same(folder, config, tmp_path):
    raw = RawData.from_file(folder / "scan.npz")
    amplitude, phase, results = run_cdi_example_torch(raw, raw, config, do_stitching=True)
    assert amplitude.shape == phase.shape == raw.scan.canvas_shape
    assert len(results["history"]["train_loss"]) == len(results["history"]["val_loss"]) == 2
    place = save_torch_bundle({"diffraction_to_obj": results["bundle"]}, tmp_path)
    assert place.name == "wts.h5.zip"
    with zipfile.ZipFile(place) as archive:
        assert all(name.endswith((".json", ".safetensors")) for name in archive.namelist())
    models, settings = load_inference_bundle_torch(tmp_path)
    assert settings == results["bundle"].config
    again = models["diffraction_to_obj"].bundle.generator.state_dict()
    for name, weights in results["bundle"].generator.state_dict().items():
        assert np.array_equal(again[name].numpy(), weights.numpy())
    assert load_torch_bundle(place)[1] == settings


def test_without_stitching_there_is_no_image(folder, config):
    config.nepochs = 1
    raw = RawData.from_file(folder / "scan.npz")
    amplitude, phase, results = run_cdi_example_torch(raw, None, config)
    assert amplitude is None
    assert phase is None
    assert "reconstruction" not in results


def test_the_history_is_that_of_the_training():
    assert _LossHistoryCallback is History


def test_patches_of_ones_become_an_image_of_ones():
    offsets = np.array([[20.0, 24.0], [26.0, 30.0]])[:, None, :, None]
    image = reassemble_position(np.ones((2, 16, 16, 1), complex), offsets, 12)
    assert np.allclose(image[image != 0], 1)
    assert (image != 0).any()
