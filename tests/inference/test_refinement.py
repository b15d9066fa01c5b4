"""Refinement on the way of the product: reconstruct, train, the files and the picture."""

import dataclasses

import numpy as np
import pytest

from ptychopinn.bundle import load_bundle, save_bundle
from ptychopinn.config import (
    Config,
    DataConfig,
    GeneratorConfig,
    InferenceConfig,
    PieConfig,
    RefinementConfig,
    TrainingConfig,
    UnrolledConfig,
)
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_product, write_product
from ptychopinn.training import train
from tests.conftest import make_scan
from tests.refinement.test_refine import bent, displaced, position_error


def settings(**refinement) -> Config:
    return Config(
        generator=GeneratorConfig(name="pie", pie=PieConfig(stages=30)),
        inference=InferenceConfig(checks=False),
        refinement=RefinementConfig(**refinement),
    )


def aligned_error(image, scan) -> float:
    """Phase error without shift and ramp, which a refined probe may share with the object."""
    weight = np.zeros(scan.canvas_shape)
    weight[14:-14, 14:-14] = 1
    return compare(image, scan.truth, weight).to_dict()["metrics"]["phase"]["rmse"]


@pytest.fixture(scope="module")
def scan():
    return make_scan(24, photons=1e7, step=3.0)


def test_a_reconstruction_with_refined_probe_and_positions(scan, tmp_path):
    moves = np.random.default_rng(3).normal(0, 0.7, scan.positions_px.shape)
    wrong = displaced(bent(scan), moves)
    plain = reconstruct(wrong, None, settings())
    seen = []
    refined = reconstruct(
        wrong,
        None,
        settings(refine_probe=True, refine_positions="points", refine_sweeps=24),
        on_progress=lambda what, done, total: seen.append((what, done, total)),
    )
    assert aligned_error(refined.object, scan) < 0.4 * aligned_error(plain.object, scan)
    found = dataclasses.replace(scan, positions_px=refined.positions_px)
    assert position_error(found, scan) < 0.4 * position_error(wrong, scan)
    np.testing.assert_array_equal(refined.start_positions_px, wrong.positions_px)
    assert refined.provenance["refinement"]["sweeps"] == 24
    assert plain.start_probe is None
    assert "refinement" not in plain.provenance
    done = [done for what, done, _ in seen if what == "refine"]
    assert sum(done) == 24 * scan.n_patterns == seen[0][2]
    write_product(tmp_path / "p.h5", refined)
    read = read_product(tmp_path / "p.h5")
    for name in ("probe", "positions_px", "start_probe", "start_positions_px"):
        np.testing.assert_array_equal(getattr(read, name), getattr(refined, name), err_msg=name)


def test_a_product_without_refinement_has_no_start(scan, tmp_path):
    plain = reconstruct(scan, None, settings())
    write_product(tmp_path / "p.h5", plain)
    read = read_product(tmp_path / "p.h5")
    assert read.start_probe is None
    assert read.start_positions_px is None
    wrong = dataclasses.replace(plain, start_positions_px=np.full((3, 2), np.nan))
    write_product(tmp_path / "p.h5", wrong)
    with pytest.raises(DataError, match="start_positions_px"):
        read_product(tmp_path / "p.h5")


def test_the_checks_judge_the_refined_scan(scan):
    config = settings(refine_probe=True, refine_sweeps=12)
    with_checks = dataclasses.replace(config, inference=InferenceConfig(checks=True))
    refined = reconstruct(bent(scan), None, with_checks).quality
    plain = dataclasses.replace(with_checks, refinement=RefinementConfig())
    wrong = reconstruct(bent(scan), None, plain).quality
    assert refined["held_out_excess_deviance"] < 0.3 * wrong["held_out_excess_deviance"]


def test_training_refines_by_its_own_region_and_the_bundle_keeps_the_probe(scan, tmp_path):
    small = UnrolledConfig(stages=2, subsets=2, networks=1, width=4, depth=1)
    config = Config(
        data=DataConfig(region="top", group_size=4),
        generator=GeneratorConfig(unrolled=small),
        training=TrainingConfig(max_steps=1, logger="none"),
        refinement=RefinementConfig(refine_probe=True, refine_sweeps=3),
    )
    wrong = bent(scan)
    bundle = train(wrong, config, tmp_path)
    assert bundle.start_probe is not None
    assert np.abs(bundle.probe - bundle.start_probe).max() > 0.01 * np.abs(bundle.probe).max()
    spoilt = wrong.patterns.copy()
    below = wrong.positions_px[:, 0] > wrong.positions_px[:, 0].mean() + 3
    spoilt[below] = spoilt[below][::-1]
    again = train(dataclasses.replace(wrong, patterns=spoilt), config, tmp_path / "again")
    np.testing.assert_array_equal(again.probe, bundle.probe)
    read = load_bundle(save_bundle(tmp_path / "b.h5.zip", bundle))
    np.testing.assert_array_equal(read.start_probe, bundle.start_probe)
    np.testing.assert_array_equal(read.probe, bundle.probe)


@pytest.fixture(scope="module")
def displaced_scan(scan):
    moves = np.random.default_rng(3).normal(0, 0.7, scan.positions_px.shape)
    return displaced(scan, moves)


@pytest.fixture(scope="module")
def trained_on_displaced(displaced_scan, tmp_path_factory):
    config = Config(
        data=DataConfig(group_size=4),
        generator=GeneratorConfig(
            unrolled=UnrolledConfig(stages=8, subsets=4, networks=1, width=4, depth=1)
        ),
        training=TrainingConfig(max_steps=1, logger="none"),
        refinement=RefinementConfig(refine_positions="points", refine_sweeps=24),
        inference=InferenceConfig(checks=False),
    )
    folder = tmp_path_factory.mktemp("trained")
    bundle = train(displaced_scan, config, folder)
    return load_bundle(save_bundle(folder / "b.h5.zip", bundle))


def test_positions_refined_for_a_training_are_kept(scan, displaced_scan, trained_on_displaced):
    bundle = trained_on_displaced
    np.testing.assert_array_equal(bundle.start_positions_px, displaced_scan.positions_px)
    found = dataclasses.replace(scan, positions_px=bundle.positions_px)
    assert position_error(found, scan) < 0.5 * position_error(displaced_scan, scan)
    assert bundle.statistics["refinement"]["sweeps"] == 24
    assert bundle.start_probe is None


def test_the_same_scan_gets_the_positions_of_its_training(displaced_scan, trained_on_displaced):
    bundle = trained_on_displaced
    config = dataclasses.replace(bundle.config, refinement=RefinementConfig())
    result = reconstruct(displaced_scan, bundle, config)
    np.testing.assert_array_equal(result.positions_px, bundle.positions_px)
    np.testing.assert_array_equal(result.start_positions_px, displaced_scan.positions_px)
    said = [s for s in result.provenance["decisions"] if "refined for the training" in s]
    assert len(said) == 1
    assert f"of {displaced_scan.n_patterns} positions" in said[0]


def test_another_scan_keeps_its_own_positions(scan, displaced_scan, trained_on_displaced):
    bundle = trained_on_displaced
    config = dataclasses.replace(bundle.config, refinement=RefinementConfig())
    for other in (scan, displaced_scan.select(np.arange(20))):
        result = reconstruct(other, bundle, config)
        np.testing.assert_array_equal(result.positions_px, other.positions_px)
        assert result.start_positions_px is None
        assert not any("refined for" in said for said in result.provenance["decisions"])


def test_positions_that_are_to_be_refined_again_start_as_given(
    displaced_scan, trained_on_displaced
):
    config = dataclasses.replace(
        trained_on_displaced.config,
        refinement=RefinementConfig(refine_positions="affine", refine_sweeps=4),
    )
    result = reconstruct(displaced_scan, trained_on_displaced, config)
    np.testing.assert_array_equal(result.start_positions_px, displaced_scan.positions_px)
    assert not any("refined for" in said for said in result.provenance["decisions"])


def test_more_modes_than_pixels_are_refused(scan):
    with pytest.raises(ConfigError, match="found 30 incoherent modes, wanted 1 to 24"):
        reconstruct(scan, None, settings(refine_probe=True, probe_modes=30))
