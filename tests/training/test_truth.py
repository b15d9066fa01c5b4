"""Supervised training: where the truth comes from, its gauge, and that it teaches."""

import dataclasses

import numpy as np
import pytest

from ptychopinn.bundle import load_bundle, save_bundle
from ptychopinn.config import CnnConfig, Config, DataConfig, PhysicsConfig
from ptychopinn.data import normalise
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.inference import reconstruct
from ptychopinn.training import train
from ptychopinn.training.truth import in_gauge, with_truth
from tests.conftest import make_scan
from tests.training.test_run import config


def supervised(name, **training):
    settings = config(name, objective="supervised", **training)
    lift = "backprojection" if name == "cnn" else "none"
    generator = dataclasses.replace(settings.generator, lift=lift, cnn=CnnConfig(width=0.25))
    return dataclasses.replace(settings, generator=generator)


def test_truth_teaches_and_patterns_do_not(tmp_path):
    """The conjugate as truth pulls the image towards the conjugate, whatever the patterns say."""
    scan = make_scan(32, photons=1e6)
    other = dataclasses.replace(scan, truth=scan.truth.conj())
    settings = supervised("cnn", max_steps=40, epoch_steps=10, batch_size=8, learning_rate=4e-3)
    similar = []
    for name, taught in (("right", scan), ("wrong", other)):
        bundle = train(taught, settings, tmp_path / name)
        losses = [row["val_loss"] for row in bundle.history]
        assert losses[-1] < 0.95 * losses[0]
        inner = (slice(20, -20), slice(20, -20))
        phase = np.angle(reconstruct(scan, bundle).object[inner])
        similar.append(np.corrcoef(phase.ravel(), np.angle(scan.truth[inner]).ravel())[0, 1])
    assert similar[0] > 0.6
    assert similar[1] < similar[0] - 0.5


def test_a_canvas_generator_learns_from_the_truth(tmp_path):
    scan = make_scan(32, photons=1e6)
    bundle = train(scan, supervised("unrolled", max_steps=12, epoch_steps=3), tmp_path)
    losses = [row["val_loss"] for row in bundle.history]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.98 * losses[0]


def test_a_supervised_bundle_loads(tmp_path):
    bundle = train(make_scan(32, side=4), supervised("cnn"), tmp_path)
    assert bundle.golden.truth is None
    save_bundle(tmp_path / "wts.h5.zip", bundle)
    assert load_bundle(tmp_path / "wts.h5.zip").config.training.objective == "supervised"


@pytest.mark.parametrize("factor", [1.0, 3.0, 0.01])
def test_truth_is_brought_into_the_gauge_of_the_scan(factor):
    scan = make_scan(16, photons=1e5)
    scan = dataclasses.replace(scan, truth=scan.truth * np.complex64(factor))
    measured = normalise(scan, PhysicsConfig())
    scaled = in_gauge(measured.scan)
    expected = make_scan(16, photons=1e5).truth / measured.probe_factor
    np.testing.assert_allclose(scaled.truth, expected, rtol=3e-3)


def test_a_scan_without_truth_is_told_where_to_find_one(tmp_path):
    scan = dataclasses.replace(make_scan(16), truth=None)
    with pytest.raises(ConfigError, match=r"ptychopinn simulate.*--truth FILE"):
        train(scan, supervised("unrolled"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_truth_from_a_file_replaces_that_of_the_scan(tmp_path):
    scan = make_scan(16)
    other = np.pad(scan.truth * 2, ((0, 3), (0, 3)))
    np.savez(tmp_path / "other.npz", object=other[:-4])
    found = with_truth(scan, str(tmp_path / "other.npz")).truth
    assert found.shape == scan.canvas_shape
    np.testing.assert_array_equal(found[:-1], 2 * scan.truth[:-1])
    assert not found[-1].any()


def test_truth_of_another_canvas_is_refused(tmp_path):
    scan = make_scan(16)
    np.savez(tmp_path / "small.npz", object=scan.truth[: scan.canvas_shape[0] // 2])
    with pytest.raises(DataError, match=r"small.npz: truth.*same positions"):
        with_truth(scan, str(tmp_path / "small.npz"))


def test_a_dark_truth_is_refused():
    scan = make_scan(16)
    with pytest.raises(DataError, match="dark wherever light fell"):
        in_gauge(dataclasses.replace(scan, truth=scan.truth * 0))


def test_the_setting_reaches_training(tmp_path):
    """`data.truth` is read by `train` for every file format alike."""
    scan = make_scan(32, side=4)
    np.savez(tmp_path / "truth.npz", object=scan.truth)
    settings: Config = supervised("cnn", max_steps=2)
    settings = dataclasses.replace(
        settings, data=DataConfig(group_size=4, truth=str(tmp_path / "truth.npz"))
    )
    assert train(dataclasses.replace(scan, truth=None), settings, tmp_path).statistics["steps"] == 2
