import json
import zipfile

import numpy as np
import pytest

from ptycho import params
from ptycho.config.config import ModelConfig, TrainingConfig
from ptycho.loader import load
from ptycho.model_manager import save
from ptycho.probe import set_probe_guess
from ptycho.raw_data import RawData
from ptycho.tf_helper import reassemble_position
from ptycho.workflows.components import (
    load_inference_bundle,
    reconstruct_raw,
    run_cdi_example,
    save_outputs,
)
from ptychopinn.errors import BundleError, ConfigError, TrainingError
from ptychopinn.io import read_product, write_scan_npz
from tests.conftest import make_scan

N = 32


@pytest.fixture(autouse=True)
def _own_dictionary(monkeypatch):
    monkeypatch.setattr(params, "cfg", dict(params.cfg))


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    place = tmp_path_factory.mktemp("scan") / "scan.npz"
    write_scan_npz(place, make_scan(N))
    return RawData.from_file(place)


@pytest.fixture(scope="module")
def trained(raw):
    """A short training of the default architecture in groups of four, with its image."""
    config = TrainingConfig(model=ModelConfig(gridsize=2), nepochs=2, batch_size=8)
    kept = dict(params.cfg)
    parts = run_cdi_example(raw, raw, config, do_stitching=True)
    params.cfg.clear()
    params.cfg.update(kept)
    return parts


def predict(raw, model, gridsize):
    groups = raw.generate_grouped_data(N, K=7, nsamples=1, gridsize=gridsize)
    container = load(lambda: groups, raw.probeGuess, which=None, create_split=False)
    amplitude = container.X * params.get("intensity_scale")
    return container, model.predict([amplitude, container.local_offsets])


def test_three_parts_with_the_losses_of_every_epoch(trained, raw):
    amplitude, phase, results = trained
    assert amplitude.shape == phase.shape == raw.scan.canvas_shape
    assert len(results["history"]["train_loss"]) == len(results["history"]["val_loss"]) == 2
    assert results["bundle"].config.generator.name == "cnn"
    np.testing.assert_allclose(
        amplitude * np.exp(1j * phase), results["reconstruction"].object, atol=1e-5
    )


def test_a_saved_bundle_predicts_the_same_image(trained, raw, tmp_path):
    amplitude, phase, results = trained
    params.set("bundle", results["bundle"])
    place = save(tmp_path)
    assert place.name == "wts.h5.zip"
    assert zipfile.is_zipfile(place)
    model, config = load_inference_bundle(tmp_path)
    assert config.data.group_size == 4
    set_probe_guess(None, raw.probeGuess)
    container, patches = predict(raw, model, gridsize=2)
    assert patches.shape == (raw.scan.n_patterns, N, N, 1)
    image = reassemble_position(patches, container.global_offsets, M=20)
    common = np.minimum(image.shape, amplitude.shape)
    cut = tuple(slice(N // 2, size - N // 2) for size in common)
    np.testing.assert_allclose(image[cut], (amplitude * np.exp(1j * phase))[cut], atol=1e-3)


def test_an_unpacked_bundle_is_loaded_and_a_damaged_one_is_not(trained, tmp_path):
    params.set("bundle", trained[2]["bundle"])
    place = save(tmp_path / "packed")
    with zipfile.ZipFile(place) as archive:
        archive.extractall(tmp_path / "open")
    model, _ = load_inference_bundle(tmp_path / "open")
    assert model.bundle.pattern_counts == trained[2]["bundle"].pattern_counts
    assert params.get("intensity_scale") == 2 * model.bundle.pattern_counts**0.5 / N
    weights = tmp_path / "open" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    with pytest.raises(BundleError):
        load_inference_bundle(tmp_path / "open")
    with pytest.raises(BundleError, match=r"wts\.h5\.zip"):
        load_inference_bundle(tmp_path)


def test_another_gridsize_and_foreign_arrays_are_refused(trained, raw, tmp_path):
    params.set("bundle", trained[2]["bundle"])
    save(tmp_path)
    model, _ = load_inference_bundle(tmp_path)
    with pytest.raises(BundleError, match="gridsize 1, the model was trained with N = 32"):
        predict(raw, model, gridsize=1)
    with pytest.raises(ConfigError, match=r"ptycho\.loader\.load"):
        model.predict([np.ones((3, N, N, 4)), np.zeros((3, 1, 2, 4))])


def test_outputs_hold_losses_and_image(trained, tmp_path):
    save_outputs(*trained, str(tmp_path))
    losses = json.loads((tmp_path / "losses.json").read_text())
    assert losses == trained[2]["history"]
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 3
    stored = read_product(tmp_path / "reconstruction.h5").object
    np.testing.assert_allclose(np.abs(stored), trained[0], rtol=1e-5)
    assert (tmp_path / "phase.png").exists()


def test_outputs_without_an_image(trained, tmp_path):
    save_outputs(None, None, {"history": trained[2]["history"]}, str(tmp_path / "losses"))
    assert {item.name for item in (tmp_path / "losses").iterdir()} == {"history.csv", "losses.json"}
    save_outputs(trained[0], trained[1], {}, tmp_path / "plain")
    with np.load(tmp_path / "plain" / "reconstruction.npz") as file:
        np.testing.assert_array_equal(file["phase"], trained[1])


def test_without_stitching_there_is_no_image(raw):
    """The unrolled generator: nothing but its name changes."""
    config = TrainingConfig(model=ModelConfig(architecture="unrolled", gridsize=3), nepochs=1)
    amplitude, phase, results = run_cdi_example(raw, None, config)
    assert amplitude is None
    assert phase is None
    assert len(results["history"]["train_loss"]) == 1
    assert params.get("bundle") is results["bundle"]
    # The image is that of the whole scan, not of groups by themselves.
    image = reconstruct_raw(raw, results["bundle"]).object
    assert image.shape == raw.scan.canvas_shape
    with pytest.raises(ConfigError, match="test_data"):
        run_cdi_example(raw, None, config, do_stitching=True)


def test_saving_before_training_is_refused(tmp_path):
    params.cfg.pop("bundle", None)
    with pytest.raises(TrainingError, match="run_cdi_example first"):
        save(tmp_path)
