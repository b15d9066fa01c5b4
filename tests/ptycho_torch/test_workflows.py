import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ptycho.config.config import ModelConfig, TrainingConfig
from ptycho.raw_data import RawData
from ptycho_torch.api.base_api import ConfigManager, PtychoDataLoader, PtychoModel, Trainer
from ptycho_torch.model import PtychoPINN_Lightning
from ptycho_torch.model_manager import load_torch_bundle, save_torch_bundle
from ptycho_torch.reassembly import reassemble_position
from ptycho_torch.workflows.components import (
    _LossHistoryCallback,
    load_inference_bundle_torch,
    run_cdi_example_torch,
)


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


def test_the_callback_collects_the_losses_of_every_epoch(folder, records, tmp_path):
    manager = ConfigManager(**vars(records))
    loader = PtychoDataLoader(folder, manager, output_dir=tmp_path)
    model = PtychoModel._new_model(PtychoPINN_Lightning, manager)
    trainer = Trainer._from_lightning(model, loader, manager)
    collected = _LossHistoryCallback()
    trainer._trainer.callbacks.append(collected)
    trainer.train()
    rows = model.model.carried.history
    assert len(rows) == records.training_config.epochs == 2
    assert collected.train_loss == pytest.approx([row["train_loss"] for row in rows])
    assert collected.val_loss == pytest.approx([row["val_loss"] for row in rows])


def test_the_callback_leaves_out_what_was_not_measured():
    collected = _LossHistoryCallback()
    before = SimpleNamespace(sanity_checking=True, callback_metrics={"val_loss": torch.ones(())})
    collected.on_validation_epoch_end(before, None)
    collected.on_train_epoch_end(before, None)
    assert (collected.train_loss, collected.val_loss) == ([], [])


def test_patches_of_ones_become_an_image_of_ones():
    offsets = np.array([[20.0, 24.0], [26.0, 30.0]])[:, None, :, None]
    image = reassemble_position(np.ones((2, 16, 16, 1), complex), offsets, 12)
    assert np.allclose(image[image != 0], 1)
    assert (image != 0).any()
