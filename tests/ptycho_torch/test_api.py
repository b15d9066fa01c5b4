import numpy as np
import pytest
import torch

from ptycho_torch.api.base_api import (
    ConfigManager,
    DataloaderFormats,
    InferenceEngine,
    PtychoDataLoader,
    PtychoModel,
    Trainer,
)
from ptycho_torch.lightning_utils import find_best_checkpoint
from ptycho_torch.model import PtychoPINN_Lightning
from ptychopinn.errors import BundleError, ConfigError, DataError
from ptychopinn.io import write_scan_npz
from tests.conftest import make_scan


def run(folder, records, output):
    """Train as an application does; returns loader, model and trainer."""
    manager = ConfigManager(**vars(records))
    loader = PtychoDataLoader(
        folder, manager, DataloaderFormats("lightning_only_module"), output_dir=output
    )
    model = PtychoModel._new_model(model=PtychoPINN_Lightning, config_manager=manager)
    trainer = Trainer._from_lightning(
        model=model, dataloader=loader, orchestration="lightning", config_manager=manager
    )
    trainer.train(orchestration="lightning", experiment_name="")
    return loader, model, trainer


def load(path):
    data, model, training, inference = PtychoModel._extract_configs_from_checkpoint(str(path))
    loaded = PtychoModel(model, data, training, inference)
    loaded.model = PtychoPINN_Lightning.load_from_checkpoint(
        path,
        model_config=model,
        data_config=data,
        training_config=training,
        inference_config=inference,
    )
    return loaded


def predict(model, scan):
    manager = ConfigManager.from_loaded_model(model)
    manager.validate_arch_compatibility(model)
    arrays = PtychoDataLoader.from_np(
        diff_patterns=scan.patterns,
        probe=scan.probe,
        positions=scan.positions_px - 0.5,
        config_manager=manager,
    )
    return InferenceEngine(manager, model).predict_and_stitch(arrays)


def test_one_checkpoint_is_enough_to_repeat_the_image(folder, scan, records, tmp_path):
    loader, model, _ = run(folder, records, tmp_path / "out")
    path = find_best_checkpoint(loader.output_dir)
    torch.load(path, weights_only=True)  # refuses anything but plain values
    loaded = load(path)
    assert loaded.data_config == records.data_config or list(loaded.data_config.grid_size) == list(
        records.data_config.grid_size
    )
    before = scan.patterns.copy()
    image = predict(loaded, scan)
    assert image.dtype == np.complex64
    assert np.isfinite(image).all()
    assert np.array_equal(image, predict(model, scan))
    assert np.array_equal(scan.patterns, before)


def test_losses_of_every_epoch_are_logged_under_the_names_of_the_model(folder, records, tmp_path):
    _, model, trainer = run(folder, records, tmp_path / "out")
    rows = model.model.carried.history
    assert len(rows) == 2
    assert rows[-1]["val_loss"] is not None
    metrics = trainer._trainer.callback_metrics
    assert {model.model.loss_name, model.model.val_loss_name} <= set(metrics)


def test_several_scans_train_one_model(folder, records, tmp_path):
    write_scan_npz(folder / "second.npz", make_scan(32, seed=1, modes=2, side=5))
    loader, model, _ = run(folder, records, tmp_path / "out")
    assert len(loader.scans) == 2
    assert len(model.model.carried.history) == 2


def test_two_runs_of_one_second_have_folders_of_their_own(folder, records, tmp_path):
    manager = ConfigManager(**vars(records))
    made = {PtychoDataLoader(folder, manager, output_dir=tmp_path).output_dir for _ in range(3)}
    assert len(made) == 3
    assert all(place.name.startswith("run_") for place in made)


def test_supervised_training_takes_the_object_of_the_file(folder, records, tmp_path):
    records.model_config.mode = "Supervised"
    _, model, _ = run(folder, records, tmp_path / "out")
    losses = [row["train_loss"] for row in model.model.carried.history]
    assert losses[-1] < losses[0]


def test_another_pattern_size_is_refused_with_both(folder, records):
    records.data_config.N = 128
    with pytest.raises(DataError, match=r"32 x 32 pixels, wanted N = 128"):
        PtychoDataLoader(folder, ConfigManager(**vars(records)))


def test_a_model_that_was_not_trained_is_refused(records):
    manager = ConfigManager(**vars(records))
    with pytest.raises(BundleError, match="not trained"):
        InferenceEngine(manager, PtychoModel._new_model(PtychoPINN_Lightning, manager))


def test_a_network_of_other_settings_is_refused(records):
    manager = ConfigManager(**vars(records))
    model = PtychoModel._new_model(PtychoPINN_Lightning, manager)
    manager.validate_arch_compatibility(model)
    manager.model_config.n_filters_scale = 3
    with pytest.raises(ConfigError, match=r"width=1\.5"):
        manager.validate_arch_compatibility(model)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "model.ckpt").write_bytes(b"nothing")
    with pytest.raises(BundleError, match="no readable checkpoint"):
        PtychoModel._extract_configs_from_checkpoint(str(tmp_path / "model.ckpt"))
