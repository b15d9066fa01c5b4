"""A training that goes on to refine probe and positions: what it finds, keeps and refuses."""

import dataclasses
import signal

import numpy as np
import pytest
import torch

from ptychopinn.bundle import load_bundle, save_bundle
from ptychopinn.config import RefinementConfig
from ptychopinn.data import normalise
from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.data.region import select_region
from ptychopinn.errors import ConfigError, TrainingError
from ptychopinn.inference import reconstruct
from ptychopinn.refinement import LearnedScan, RefinedScan, probe_change
from ptychopinn.training import run as run_module
from ptychopinn.training import train
from ptychopinn.training.refinement import after_training
from tests.conftest import make_scan
from tests.refinement.test_refine import bent, displaced, position_error
from tests.training.test_run import config, weights

#: Positions wait for two sweeps, so that one leaves all of their error to the training.
ONE_SWEEP = {"refine_sweeps": 1, "refine_while_training": True}


def settings(refinement, name="unrolled", region="all", **training):
    made = config(name, **training)
    data = dataclasses.replace(made.data, region=region)
    return dataclasses.replace(made, data=data, refinement=RefinementConfig(**refinement))


@pytest.fixture(scope="module")
def scan():
    return make_scan(24, photons=1e7, step=3.0)


@pytest.fixture(scope="module")
def wrong(scan):
    return displaced(scan, np.random.default_rng(3).normal(0, 0.3, scan.positions_px.shape))


def test_a_training_finds_positions(scan, wrong, tmp_path):
    wanted = settings(
        {"refine_positions": "points", **ONE_SWEEP},
        **{"max_steps": 60, "epoch_steps": 30, "batch_size": 8, "learning_rate": 0.01},
    )
    bundle = train(wrong, wanted, tmp_path)
    found = dataclasses.replace(scan, positions_px=bundle.positions_px)
    assert position_error(found, scan) < 0.8 * position_error(wrong, scan)
    figures = bundle.statistics["refinement"]
    assert figures["positions_moved_most_px"] == 0
    moved = np.linalg.norm(bundle.positions_px - wrong.positions_px, axis=1)
    loop = figures["while_training"]
    assert loop["positions_moved_most_px"] == pytest.approx(moved.max())
    assert loop["positions_moved_rms_px"] == pytest.approx(np.sqrt((moved**2).mean()))
    np.testing.assert_array_equal(bundle.start_positions_px, wrong.positions_px)
    assert bundle.start_probe is None
    np.testing.assert_array_equal(bundle.probe, normalise(wrong, wanted.physics).scan.probe)


def test_a_training_finds_the_probe(scan, tmp_path):
    off = bent(scan)
    wanted = {"refine_probe": True, **ONE_SWEEP}
    fast = {"max_steps": 60, "epoch_steps": 30, "batch_size": 8, "learning_rate": 0.03}
    bundle = train(off, settings(wanted, **fast), tmp_path / "on")
    without = train(
        off, settings({**wanted, "refine_while_training": False}, **fast), tmp_path / "off"
    )
    left, before = (probe_change(scan.probe, made.probe) for made in (bundle, without))
    assert left < 0.7 * before
    assert bundle.positions_px is None
    np.testing.assert_array_equal(bundle.start_probe, without.start_probe)
    figures = bundle.statistics["refinement"]
    assert figures["probe_change"] == without.statistics["refinement"]["probe_change"]
    assert "while_training" not in without.statistics["refinement"]
    loop = figures["while_training"]
    assert loop == {"probe_change": pytest.approx(probe_change(without.probe, bundle.probe))}
    assert loop["probe_change"] > 1e-3


@pytest.mark.parametrize("name", ["unrolled", "cnn"])
def test_what_was_learned_survives_the_bundle(name, tmp_path):
    given = make_scan(32, side=5, modes=2)
    wanted = settings(
        {"refine_probe": True, "refine_positions": "points", **ONE_SWEEP},
        name,
        **{"learning_rate": 0.03, "max_steps": 4},
    )
    bundle = train(given, wanted, tmp_path)
    read = load_bundle(save_bundle(tmp_path / "b.h5.zip", bundle))
    for kept in ("probe", "start_probe", "positions_px", "start_positions_px"):
        np.testing.assert_array_equal(getattr(read, kept), getattr(bundle, kept))
    assert read.statistics == bundle.statistics
    assert read.config.refinement.refine_while_training
    sample = bundle.golden.probe.numpy()
    assert probe_change(sample, bundle.probe) < 1e-5
    assert probe_change(sample, bundle.start_probe) > 1e-4
    quiet = dataclasses.replace(
        bundle.config,
        refinement=RefinementConfig(),
        inference=dataclasses.replace(bundle.config.inference, checks=False),
    )
    image = reconstruct(dataclasses.replace(given, probe=read.probe), read, quiet)
    np.testing.assert_array_equal(image.positions_px, bundle.positions_px)
    np.testing.assert_allclose(image.probe, bundle.probe, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["unrolled", "cnn"])
def test_a_resumed_run_refines_bit_for_bit_the_same(name, tmp_path):
    given = make_scan(32, side=5)
    everything = {"refine_probe": True, "refine_positions": "points", **ONE_SWEEP}
    wanted = settings(everything, name, max_steps=16)
    whole = train(given, wanted, tmp_path / "whole")
    stop = run_module.LastCheckpoint.on_train_epoch_end

    def interrupt(self, trainer, *rest):
        stop(self, trainer, *rest)
        if trainer.global_step == 8:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module.LastCheckpoint, "on_train_epoch_end", interrupt)
        with pytest.raises(TrainingError, match="interrupted at step 8"):
            train(given, wanted, tmp_path / "part")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resumed = train(given, wanted, tmp_path / "part", resume=True)
    for kept in ("probe", "positions_px"):
        np.testing.assert_array_equal(getattr(resumed, kept), getattr(whole, kept))
    assert torch.equal(weights(resumed), weights(whole))
    eight = train(given, settings(everything, name, max_steps=8), tmp_path / "eight")
    assert not np.array_equal(eight.positions_px, whole.positions_px)


def test_patterns_outside_the_region_keep_their_places(wrong, tmp_path):
    middle = float(np.median(wrong.positions_px[:, 0]))
    region = f"y:{middle}:"
    wanted = {"refine_probe": True, "refine_positions": "points", **ONE_SWEEP}
    bundle = train(wrong, settings(wanted, region=region, learning_rate=0.01), tmp_path)
    inside = select_region(wrong, region)
    assert inside[0] > 0
    assert len(inside) < wrong.n_patterns
    moved = np.linalg.norm(bundle.positions_px - wrong.positions_px, axis=1)
    assert (moved[inside] > 0).all()
    outside = np.setdiff1d(np.arange(wrong.n_patterns), inside)
    np.testing.assert_array_equal(bundle.positions_px[outside], wrong.positions_px[outside])


def test_a_move_is_that_of_its_pattern_where_a_region_was_chosen(scan):
    """Through the data module, the batch and the way back into the whole scan."""
    wanted = settings(
        {"refine_positions": "points", "refine_while_training": True}, region="random:0.5"
    )
    data = ScanDataModule(scan, wanted, 4)
    learned = LearnedScan(data.region, wanted.refinement)
    row = 5
    number = data.indices[row]
    assert number != row
    with torch.no_grad():
        learned.moves_px[row] = torch.tensor([0.2, -0.1])
    seen = 0
    for batch in data.train_dataloader():
        np.testing.assert_array_equal(
            batch.counts.numpy(),
            scan.counts(data.indices[batch.members.flatten()]).reshape(batch.counts.shape),
        )
        moved = (learned(batch).fractions - batch.fractions).detach().abs().sum(dim=-1) > 0
        assert torch.equal(moved, batch.members == row)
        seen += int(moved.sum())
    assert seen > 0
    left = after_training(RefinedScan(scan), learned, data.region, data.indices).scan
    away = left.positions_px - scan.positions_px
    assert np.argmax(np.abs(away).sum(axis=1)) == number
    np.testing.assert_allclose(away[number] - away[data.indices[0]], [0.2, -0.1], atol=1e-3)


def test_a_refinement_that_went_astray_leaves_a_start_all_the_same(scan):
    """Then there is no start from before the training but the scan itself."""
    wanted = RefinementConfig(refine_probe=True, refine_positions="affine")
    learned = LearnedScan(scan, wanted)
    with torch.no_grad():
        learned.affine_px.add_(0.1)
        learned.probe_change.add_(0.1)
    left = after_training(RefinedScan(scan), learned, scan, np.arange(scan.n_patterns))
    assert left.start_probe is scan.probe
    assert left.start_positions_px is scan.positions_px
    assert left.figures["while_training"]["positions_moved_most_px"] > 0.05


def test_without_the_switch_nothing_is_learned_of_the_scan(scan, monkeypatch, tmp_path):
    made = []
    module = run_module.PtychoModule
    monkeypatch.setattr(
        run_module, "PtychoModule", lambda *given: made.append(module(*given)) or made[-1]
    )
    bundle = train(scan, settings({"refine_probe": True, "refine_sweeps": 1}), tmp_path)
    assert made[0].learned_scan is None
    assert "while_training" not in bundle.statistics["refinement"]


def test_supervised_training_refuses_to_go_on(scan, tmp_path):
    wanted = settings({"refine_probe": True, **ONE_SWEEP}, objective="supervised")
    with pytest.raises(ConfigError, match=r"refine_while_training: supervised .*leave it out"):
        train(scan, wanted, tmp_path / "run")
    assert not (tmp_path / "run").exists()
