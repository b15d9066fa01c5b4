"""Ptychodus 1.7.0, unmodified, drives the package by its PtychoPINN-Torch plugin."""

import logging
import pickle
import queue
import shutil

import numpy as np
import pytest
import torch

pytest.importorskip("ptychodus", reason="Ptychodus is not installed; make test-interop")

from ptychodus.api.settings import SettingsRegistry
from ptychodus.model.processing.subprocess_reconstructor import TAG_OUTPUT
from ptychodus.model.ptychopinn_torch._payload import ReconstructPayload
from ptychodus.model.ptychopinn_torch._subprocess import run_reconstruct
from ptychodus.model.ptychopinn_torch.core import PtychoPINNTorchReconstructorLibrary

from ptycho_torch.api.base_api import PtychoModel
from ptycho_torch.bundles import bundle_of
from ptycho_torch.model import PtychoPINN_Lightning
from ptycho_torch.model_manager import write_checkpoint
from ptychopinn.bundle import load_pretrained
from ptychopinn.config import GeneratorConfig
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from tests.interop.ptychodus_product import object_shape, ptychodus_input

EPOCHS = 2
INSIDE = (slice(70, -70), slice(70, -70))


@pytest.fixture
def library():
    """The plugin at its own settings, but for a run that takes seconds on a processor."""
    found = PtychoPINNTorchReconstructorLibrary(SettingsRegistry(), False)
    found.training_settings.epochs.set_value(EPOCHS)
    found.data_settings.coordinate_subsampling_factor.set_value(1)
    found.model_settings.num_filters_scale.set_value(1)
    for bound in ("x", "y"):
        getattr(found.data_settings, f"{bound}_lower_bound").set_value(0.3)
        getattr(found.data_settings, f"{bound}_upper_bound").set_value(0.7)
    return found


@pytest.fixture
def given(star):
    """What Ptychodus hands over: the scan with one bad pixel, and the reference as object."""
    bad = np.zeros((star.n, star.n), dtype=bool)
    bad[3, 4] = True
    assert star.truth.shape == object_shape(star)
    return ptychodus_input(star, star.truth, bad)


def reconstructor(library, name):
    return next(one for one in library if one.name == name)


def trained(one, given, folder):
    """Export, train, save the model elsewhere, and lose everything else; return the figures."""
    (folder / "in").mkdir()
    one.export_training_data(folder / "in" / "scan.npz", given)
    before = sorted(folder.joinpath("in").iterdir())
    outputs = list(one.train(folder / "in", folder / "out"))
    one.save_model(folder / "copy.ckpt")
    assert sorted(folder.joinpath("in").iterdir()) == before
    shutil.rmtree(folder / "out")
    one.load_model_from_file(folder / "copy.ckpt")
    return outputs


def own_image(checkpoint, star):
    """What the package itself makes of the scan with the weights of a checkpoint."""
    data, model, training, inference = PtychoModel._extract_configs_from_checkpoint(checkpoint)
    module = PtychoPINN_Lightning.load_from_checkpoint(
        checkpoint,
        model_config=model,
        data_config=data,
        training_config=training,
        inference_config=inference,
    )
    bundle = bundle_of(module)
    return reconstruct(star, bundle, bundle.config).object


def image_of(product):
    return product.object_.get_layer(0)


def require_own_image(one, given, checkpoint, star):
    """Let the plugin reconstruct, and require what the package makes with the same weights."""
    (result,) = one.reconstruct(given)
    image = image_of(result.product)
    assert type(image) is np.ndarray
    assert image.shape == star.truth.shape
    assert np.isfinite(image).all()
    # Ptychodus fills the bad pixel, the package leaves it out: the rest must be the same.
    expected = own_image(checkpoint, star)
    assert np.abs(image - expected)[INSIDE].max() < 1e-3 * np.abs(expected[INSIDE]).max()


@pytest.mark.slow
def test_unsupervised_trains_and_reconstructs_in_processes_of_its_own(
    library, given, star, tmp_path, caplog
):
    caplog.set_level(logging.INFO)
    one = reconstructor(library, "Unsupervised")
    (figures,) = trained(one, given, tmp_path)
    assert figures.progress == EPOCHS
    assert [loss.epoch for loss in figures.training_loss] == list(range(EPOCHS))
    assert len(figures.validation_loss) == EPOCHS
    assert figures.training_loss[-1].value < figures.training_loss[0].value
    assert "read as counts" in caplog.text
    assert "has no effect" not in caplog.text  # nothing of what the plugin itself chooses
    if not torch.cuda.is_available():
        assert "'cuda' was asked for" in caplog.text
    require_own_image(one, given, tmp_path / "copy.ckpt", star)


@pytest.mark.slow
def test_supervised_learns_the_object_of_the_product_and_reconstructs(
    library, given, star, tmp_path
):
    one = reconstructor(library, "Supervised")
    (figures,) = trained(one, given, tmp_path)
    losses = [loss.value for loss in figures.training_loss]
    assert len(losses) == EPOCHS
    assert losses[-1] < losses[0]
    assert np.isfinite([loss.value for loss in figures.validation_loss]).all()
    require_own_image(one, given, tmp_path / "copy.ckpt", star)


def test_weights_of_the_package_give_the_image_in_the_frame_of_the_product(given, star, tmp_path):
    bundle = load_pretrained(GeneratorConfig(name="unrolled"))
    checkpoint = write_checkpoint(bundle, tmp_path / "unrolled.ckpt", n=star.n)
    answers = queue.SimpleQueue()
    run_reconstruct(ReconstructPayload("Unsupervised", checkpoint, given), answers)
    tag, content = answers.get()
    assert tag == TAG_OUTPUT
    image = image_of(pickle.loads(content).product)  # noqa: S301 - made by the line above
    assert image.shape == star.truth.shape
    found = compare(image[INSIDE], star.truth[INSIDE])
    assert np.abs(found.alignment.shift_px).max() < 0.3
    assert found.metrics.phase.ssim > 0.8
    assert found.metrics.phase.rmse < 0.08
    # Ptychodus fills the bad pixel, and hands positions back to 5e-7 px, which is enough to give a
    # pattern on the edge of a pixel to another subset of the sweep.
    expected = own_image(checkpoint, star)
    difference = np.linalg.norm((image - expected)[INSIDE])
    assert difference < 5e-3 * np.linalg.norm(expected[INSIDE])


def test_supervised_training_without_an_object_says_what_to_do(library, star, tmp_path):
    one = reconstructor(library, "Supervised")
    flat = ptychodus_input(star, np.ones_like(star.truth), np.zeros((star.n, star.n), bool))
    (tmp_path / "in").mkdir()
    one.export_training_data(tmp_path / "in" / "scan.npz", flat)
    with pytest.raises(RuntimeError, match="reconstruct the product first"):
        list(one.train(tmp_path / "in", tmp_path / "out"))
