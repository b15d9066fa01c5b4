"""What ``--resume`` goes on with: the same run, or nothing."""

import dataclasses
import shutil

import pytest
import torch

from ptychopinn.config import (
    PretrainingConfig,
    UnrolledConfig,
)
from ptychopinn.errors import ConfigError, OutputError, TrainingError
from ptychopinn.training import CHECKPOINT_NAME, checkpoint, pretrain, train
from ptychopinn.training import trainer as trainer_module
from tests.conftest import make_scan
from tests.small_disk import files_on, small_disk
from tests.training.test_run import SMALL, config

SCAN = make_scan(24, side=4)


def changed(settings, **sections):
    """Return settings with some values of some sections replaced."""
    made = {name: dataclasses.replace(getattr(settings, name), **v) for name, v in sections.items()}
    return dataclasses.replace(settings, **made)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(SCAN, config(), folder)
    return folder


OTHERS = {
    "generator.unrolled.stages was 5 and is 4": {
        "generator": {"unrolled": dataclasses.replace(SMALL, stages=4)}
    },
    "generator.name was unrolled and is cnn": {"generator": {"name": "cnn"}},
    "training.optimiser was adam and is sgd": {"training": {"optimiser": "sgd"}},
    "training.learning_rate was 0.001 and is 0.01": {"training": {"learning_rate": 0.01}},
    "data.region was all and is top": {"data": {"region": "top"}},
    "refinement.refine_probe was False and is True": {"refinement": {"refine_probe": True}},
}


@pytest.mark.parametrize("words", OTHERS)
def test_other_settings_are_refused(finished, words):
    before = (finished / CHECKPOINT_NAME).read_bytes()
    with pytest.raises(TrainingError, match=rf"checkpoint\.ckpt: .*{words}.*without --resume"):
        train(SCAN, changed(config(), **OTHERS[words]), finished, resume=True)
    assert (finished / CHECKPOINT_NAME).read_bytes() == before


SCANS = {
    "scan.positions": {"positions_px": SCAN.positions_px + 0.25},
    "scan.probe": {"probe": SCAN.probe * 2},
    "scan.patterns": {"patterns": SCAN.patterns[::-1]},
    "scan.mask": {"mask": make_scan(24, side=4).mask & (torch.eye(24) == 0).numpy()},
}


@pytest.mark.parametrize("name", SCANS)
def test_another_scan_is_refused(finished, name):
    other = dataclasses.replace(SCAN, **SCANS[name])
    with pytest.raises(TrainingError, match=f"found the checkpoint of another run .*{name} was #"):
        train(other, config(), finished, resume=True)


def test_limits_and_places_may_change(finished):
    settings = changed(
        config(max_steps=9),
        data={"probe": "somewhere/else.npz"},
        training={"device": "cpu", "threads": 1, "logger": "csv", "report": "none"},
        inference={"stages": 3},
    )
    moved = dataclasses.replace(SCAN, name="moved.npz")
    assert train(moved, settings, finished, resume=True).statistics["steps"] > 8


@pytest.mark.parametrize("damage", ["cut", "junk", "empty", "another file"])
def test_a_damaged_checkpoint_is_named(finished, tmp_path, damage):
    whole = (finished / CHECKPOINT_NAME).read_bytes()
    place = tmp_path / CHECKPOINT_NAME
    place.write_bytes(
        {"cut": whole[: len(whole) // 2], "junk": b"junk" * 99, "empty": b""}.get(damage, b"")
    )
    if damage == "another file":
        torch.save({"state_dict": {}}, place)
    with pytest.raises(TrainingError) as error:
        train(SCAN, config(), tmp_path, resume=True)
    assert str(error.value).startswith(f"{place}: found a file that is damaged")
    assert str(error.value).endswith("start without --resume.")
    assert "\n" not in str(error.value)


def test_refused_runs_make_no_folder(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise ModuleNotFoundError("No module named 'tensorboard'.\nPlease install it.\n")

    monkeypatch.setattr(trainer_module, "TensorBoardLogger", missing)
    with pytest.raises(ConfigError) as error:
        train(SCAN, config(logger="tensorboard"), tmp_path / "a")
    assert "\n" not in str(error.value)
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        train(SCAN, config(), tmp_path / "b", resume=True)
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        pretrain(PretrainingConfig(steps=1), UnrolledConfig(), tmp_path / "c", resume=True)
    assert files_on(tmp_path) == []


def test_a_schedule_that_watches_a_loss_wants_one(tmp_path):
    settings = changed(config(schedule="plateau"), data={"validation_fraction": 0.0})
    with pytest.raises(ConfigError, match=r"'plateau' watches the validation loss.*fraction"):
        train(SCAN, settings, tmp_path / "run")
    assert files_on(tmp_path) == []


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 9 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
    ids=["numpy", "torch"],
)
def test_out_of_memory_on_a_cpu(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(trainer_module.lightning.Trainer, "fit", fail)
    with pytest.raises(TrainingError, match=r"ran out of memory; lower --batch-size"):
        train(SCAN, config(), tmp_path)


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path):
    settings = config(max_steps=40)
    with small_disk(tmp_path / "disk", 4000) as disk:
        write = checkpoint.LastCheckpoint.on_train_epoch_end

        def fill_up_first(self, trainer, *rest):
            if trainer.global_step == 8:
                (disk / "other").write_bytes(bytes(shutil.disk_usage(disk).free - 2**13))
            write(self, trainer, *rest)

        patch = pytest.MonkeyPatch()
        patch.setattr(checkpoint.LastCheckpoint, "on_train_epoch_end", fill_up_first)
        with pytest.raises(OutputError) as error:
            train(SCAN, settings, disk)
        patch.undo()
        said = str(error.value)
        assert said.startswith(f"{disk / CHECKPOINT_NAME}: cannot be written (No space left")
        assert f"{disk / CHECKPOINT_NAME} is kept: go on with the same command and --resume" in said
        assert files_on(disk) == [CHECKPOINT_NAME, "other"]
        (disk / "other").unlink()
        assert train(SCAN, settings, disk, resume=True).statistics["steps"] == 40


def test_a_pretraining_goes_on_with_its_own_settings_only(tmp_path):
    settings = PretrainingConfig(
        steps=2, epoch_steps=1, scans_per_step=1, largest_n=64, pixels=2**15, validation_scans=1
    )
    small = UnrolledConfig(stages=2, width=4, depth=2, networks=1)
    pretrain(settings, small, tmp_path)
    other = dataclasses.replace(settings, learning_rate=0.5)
    with pytest.raises(TrainingError, match=r"pretraining.learning_rate was 0.001 and is 0.5"):
        pretrain(other, small, tmp_path, resume=True)
    with pytest.raises(TrainingError, match=r"unrolled.stages was 2 and is 3"):
        pretrain(settings, dataclasses.replace(small, stages=3), tmp_path, resume=True)
    longer = dataclasses.replace(settings, steps=3)
    assert pretrain(longer, small, tmp_path, resume=True).statistics["steps"] == 3
