import dataclasses
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from ptychopinn.bundle import load_bundle, load_pretrained, save_bundle, trained_ranges
from ptychopinn.config import Config, DataConfig, GeneratorConfig, TrainingConfig, UnrolledConfig
from ptychopinn.data import describe_scan
from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.errors import ConfigError, DataError, TrainingError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.generators.spectral import HAS_NEURALOPERATOR
from ptychopinn.inference import reconstruct
from ptychopinn.model import PtychoModule
from ptychopinn.training import CHECKPOINT_NAME, train
from ptychopinn.training import run as run_module
from ptychopinn.training import trainer as trainer_module
from tests.conftest import make_scan, phase_error

NEEDS_NEURALOP = pytest.mark.skipif(not HAS_NEURALOPERATOR, reason="uno needs neuralop")
SMALL = UnrolledConfig(stages=5, width=8, depth=2)


def config(name="unrolled", lift="none", **training):
    settings = {"max_steps": 8, "epoch_steps": 4, "logger": "none", **training}
    return Config(
        data=DataConfig(group_size=9 if name == "unrolled" else 4, validation_fraction=0.1),
        generator=GeneratorConfig(name=name, lift=lift, unrolled=SMALL),
        training=TrainingConfig(**settings),
    )


def weights(bundle):
    return torch.cat([p.detach().flatten() for p in bundle.generator.parameters()])


def test_training_improves_the_image(tmp_path):
    scan = make_scan(32, photons=1e6)
    settings = config(max_steps=60, epoch_steps=20)
    bundle = train(scan, settings, tmp_path)
    untrained = train(scan, config(max_steps=1, learning_rate=1e-9), tmp_path / "untrained")
    before = phase_error(reconstruct(scan, untrained).object, scan)
    after = phase_error(reconstruct(scan, bundle).object, scan)
    assert after < 0.96 * before


def test_history_has_a_row_an_epoch(tmp_path):
    bundle = train(make_scan(32), config(), tmp_path)
    assert [row["step"] for row in bundle.history] == [4, 8]
    for row in bundle.history:
        assert row["train_loss"] > 0
        assert row["val_loss"] > 0
    assert bundle.statistics["steps"] == 8


def test_a_fresh_training_keeps_what_its_scan_is_like(tmp_path):
    scan = make_scan(32, side=5)
    bundle = train(scan, config(max_steps=1), tmp_path)
    found = trained_ranges(load_bundle(save_bundle(tmp_path / "b.h5.zip", bundle)))
    described = describe_scan(scan)
    assert max(found.outside(described).values()) < 1e-6
    assert found.low == found.high
    dark = dataclasses.replace(described, photons_per_pattern=10.0)
    assert found.outside(dark)["photons_per_pattern"] > 1


def test_a_fine_tuned_bundle_keeps_what_its_weights_were_trained_on_before(tmp_path):
    scan = make_scan(32, side=5, photons=20.0)
    before = trained_ranges(load_pretrained(GeneratorConfig()))
    described = describe_scan(scan)
    assert before.outside(described)["photons_per_pattern"] > 0
    settings = Config(training=TrainingConfig(max_steps=1, logger="none", init="pretrained"))
    bundle = train(scan, settings, tmp_path)
    after = trained_ranges(bundle)
    assert max(after.outside(described).values()) < 1e-6
    assert after.high.photons_per_pattern == before.high.photons_per_pattern
    darker = make_scan(32, side=5, photons=0.2)
    reasons = reconstruct(darker, bundle).provenance["trust"]["reasons"]
    assert any("outside what the weights were trained on" in reason for reason in reasons)


@pytest.mark.parametrize("name", ["unrolled", "cnn"])
def test_a_resumed_run_is_the_same_run(tmp_path, name):
    """Stopped after the second of four epochs and continued: the same weights, bit for bit."""
    scan = make_scan(32)
    whole = train(scan, config(name, max_steps=16), tmp_path / "whole")
    stop = run_module.LastCheckpoint.on_train_epoch_end

    def interrupt(self, trainer, *rest):
        stop(self, trainer, *rest)
        if trainer.global_step == 8:
            raise KeyboardInterrupt

    patch = pytest.MonkeyPatch()
    patch.setattr(run_module.LastCheckpoint, "on_train_epoch_end", interrupt)
    with pytest.raises(TrainingError, match=r"interrupted at step 8.*--resume"):
        train(scan, config(name, max_steps=16), tmp_path / "part")
    patch.undo()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resumed = train(scan, config(name, max_steps=16), tmp_path / "part", resume=True)
    assert torch.equal(weights(whole), weights(resumed))
    kept = ("epoch", "step", "train_loss", "val_loss", "learning_rate")
    assert [[row[k] for k in kept] for row in whole.history] == [
        [row[k] for k in kept] for row in resumed.history
    ]


def test_a_run_that_was_killed_after_its_last_step_takes_no_other(tmp_path):
    scan = make_scan(32)
    whole = train(scan, config(), tmp_path)
    again = train(scan, config(), tmp_path, resume=True)
    assert torch.equal(weights(whole), weights(again))
    assert [row["step"] for row in again.history] == [row["step"] for row in whole.history]


def test_the_same_seed_gives_the_same_weights(tmp_path):
    scan = make_scan(32)
    one, same, other = (
        weights(train(scan, config(seed=seed), tmp_path / name))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        train(make_scan(32), config(), tmp_path, resume=True)


def test_nothing_to_learn(tmp_path):
    with pytest.raises(TrainingError, match=r"nothing to learn.*reconstruct SCAN --generator pie"):
        train(make_scan(32), config("pie"), tmp_path)


def test_a_scan_with_nan_counts_is_not_trained_on(tmp_path):
    scan = make_scan(32)
    patterns = scan.patterns.astype(np.float32)
    patterns[:, 7, 8] = np.nan
    with pytest.raises(DataError, match="found nan photons in the mean pattern"):
        train(dataclasses.replace(scan, patterns=patterns), config(), tmp_path)


def spoilt(tensor):
    """The same with NaN in the middle of its last axes."""
    changed = tensor.clone()
    changed[..., tensor.shape[-2] // 2, tensor.shape[-1] // 2] = torch.nan
    return changed


def first_step(scan, change=lambda batch: batch, harm=None):
    """The first step of a training on a batch that was changed, by weights that were harmed."""
    settings = config("cnn")
    data = ScanDataModule(scan, settings, settings.data.group_size)
    generator = build_generator(settings.generator, GeneratorSize(scan.n, data.group_size))
    if harm is not None:
        harm(generator)
    module = PtychoModule(generator, settings.training, lambda: 0.0)
    module.training_step(change(next(iter(data.train_dataloader()))), 0)


def test_nan_counts_are_named():
    scan = make_scan(32)
    with pytest.raises(TrainingError, match=r"step 0: the measured counts hold 8 values .*mark"):
        first_step(scan, lambda batch: batch._replace(counts=spoilt(batch.counts)))


def test_a_nan_probe_is_named():
    with pytest.raises(TrainingError, match="the probe holds values that are not finite"):
        first_step(make_scan(32), lambda batch: batch._replace(probe=spoilt(batch.probe)))


def test_nan_weights_are_named():
    def harm(generator):
        with torch.no_grad():
            next(generator.parameters()).fill_(torch.nan)

    with pytest.raises(TrainingError, match=r"the weights '.*no longer finite.*--learning-rate"):
        first_step(make_scan(32), harm=harm)


@pytest.mark.parametrize("schedule", ["warmup_cosine", "plateau", "exponential", "constant"])
@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_schedules_and_optimisers(tmp_path, schedule, optimiser):
    bundle = train(make_scan(24, side=4), config(schedule=schedule, optimiser=optimiser), tmp_path)
    rates = [row["learning_rate"] for row in bundle.history]
    assert (rates[1] < rates[0]) == (schedule in ("warmup_cosine", "exponential"))


@pytest.mark.parametrize("loss", ["poisson", "amplitude_mse", "amplitude_mae"])
def test_every_loss_with_regularisers(tmp_path, loss):
    settings = config("cnn", loss=loss, tv_weight=0.1, mean_deviation_weight=0.1)
    bundle = train(make_scan(32, side=4), settings, tmp_path)
    assert np.isfinite(bundle.history[-1]["train_loss"])


def test_seconds_end_a_run(tmp_path):
    bundle = train(make_scan(24, side=4), config(max_steps=None, max_seconds=2.0), tmp_path)
    assert 1.5 < bundle.statistics["seconds"] < 6
    assert bundle.statistics["steps"] > 4


def test_a_missing_logger_names_the_command(tmp_path, monkeypatch):
    def missing(*_, **__):
        raise ModuleNotFoundError("No module named 'mlflow'")

    monkeypatch.setattr(trainer_module, "MLFlowLogger", missing)
    with pytest.raises(ConfigError, match=r"pip install 'ptychopinn\[tracking\]'"):
        train(make_scan(24, side=4), config(logger="mlflow"), tmp_path)


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from tests.conftest import make_scan
from tests.training.test_run import config
from ptychopinn.training import train
train(make_scan(32), config(max_steps=100000, epoch_steps=2), {folder!r})
"""


def test_ctrl_c_keeps_the_checkpoint(tmp_path):
    root = str(trainer_module.Path(__file__).parents[2])
    code = textwrap.dedent(SCRIPT.format(root=root, folder=str(tmp_path)))
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if (tmp_path / CHECKPOINT_NAME).exists():
            break
        assert process.poll() is None
        os.sched_yield()
        signal.sigtimedwait([], 0.1)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert "--resume" in message
    assert (tmp_path / CHECKPOINT_NAME).exists()
    assert not list(tmp_path.glob("*.partial"))


def test_half_precision_trains_networks_of_patches_and_ends_with_the_training(tmp_path):
    settings = config("cnn", "backprojection", precision="bf16", max_steps=2)
    bundle = train(make_scan(32), settings, tmp_path)
    assert not bundle.generator.half_precision
    full = train(make_scan(32), config("cnn", "backprojection", max_steps=2), tmp_path / "full")
    assert not torch.equal(weights(bundle), weights(full))


@pytest.mark.parametrize("name", ["unrolled", pytest.param("uno", marks=NEEDS_NEURALOP)])
def test_half_precision_is_refused_where_it_is_unknown(name, tmp_path):
    with pytest.raises(ConfigError, match="precision: 'bf16' is for networks of patches other"):
        train(make_scan(32), config(name, precision="bf16"), tmp_path)
