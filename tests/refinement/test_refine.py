import dataclasses

import numpy as np
import pytest
import torch

from ptychopinn.config import RefinementConfig, SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.processes import ALONE
from ptychopinn.refinement import refine, sweeps_of, wants_refinement
from ptychopinn.refinement.positions import affine_step, disc, point_steps
from ptychopinn.refinement.refine import probe_change
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate
from tests.conftest import make_scan
from tests.threads_as_processes import together

CPU = torch.device("cpu")


def run(scan: Scan, **settings):
    return refine(scan, RefinementConfig(**settings), device=CPU)


def bent(scan: Scan, strength: float = 0.02) -> Scan:
    """The scan with a probe out of focus."""
    y, x = np.mgrid[: scan.n, : scan.n] - scan.n // 2
    wrong = scan.probe * np.exp(1j * strength * (y**2 + x**2))
    return dataclasses.replace(scan, probe=wrong.astype(np.complex64))


def displaced(scan: Scan, moves: np.ndarray) -> Scan:
    low, high = scan.n // 2, np.array(scan.canvas_shape) - scan.n + scan.n // 2 + 0.99
    return dataclasses.replace(scan, positions_px=np.clip(scan.positions_px + moves, low, high))


def position_error(found: Scan, scan: Scan) -> float:
    """Per-axis rms without a common shift, which nothing can tell."""
    error = found.positions_px - scan.positions_px
    return float((error - error.mean(axis=0)).std())


@pytest.mark.parametrize(("n", "modes"), [(24, 1), (25, 2)])
def test_a_wrong_probe_is_found(n, modes):
    scan = make_scan(n, modes=modes, photons=1e7, step=3.0)
    wrong = bent(scan)
    found = run(wrong, refine_probe=True, refine_sweeps=25)
    before, after = (probe_change(scan.probe, s.probe) for s in (wrong, found.scan))
    assert before > 0.05
    assert after < 1e-3
    power = np.linalg.norm(found.scan.probe)
    assert power == pytest.approx(np.linalg.norm(wrong.probe), rel=1e-4)
    np.testing.assert_array_equal(found.start_probe, wrong.probe)
    gram = found.scan.probe.reshape(modes, -1) @ found.scan.probe.reshape(modes, -1).conj().T
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-4 * power**2


def test_wrong_positions_are_found_even_far_off():
    scan = make_scan(24, photons=1e7, step=3.0)
    moves = np.random.default_rng(3).normal(0, 1, scan.positions_px.shape)
    moves[20] = (4, -3)
    wrong = displaced(scan, moves)
    found = run(wrong, refine_positions="points", position_bound_px=6.0, refine_sweeps=20)
    assert position_error(wrong, scan) > 0.8
    assert position_error(found.scan, scan) < 0.1
    assert found.figures["positions_moved_most_px"] > 3
    assert found.scan.probe is wrong.probe
    assert found.start_probe is None


def test_an_affine_map_is_found():
    scan = make_scan(24, photons=1e7, step=3.0)
    centred = scan.positions_px - scan.positions_px.mean(axis=0)
    wrong = displaced(scan, centred @ np.array([[0.06, 0.03], [-0.04, -0.05]]))
    found = run(wrong, refine_positions="affine", refine_sweeps=20)
    assert position_error(wrong, scan) > 0.3
    assert position_error(found.scan, scan) < 0.05


@pytest.fixture(scope="module")
def star() -> Scan:
    return simulate(SimulationConfig(object="spokes", n=48, patterns=300, defocus_rad=6.0))


def on_wrong_stage(star: Scan, moves: np.ndarray) -> Scan:
    """The star displaced, and with a probe that is 5 % out of focus."""
    probe = simulate(SimulationConfig(object="spokes", n=48, patterns=4, defocus_rad=5.7)).probe
    scale = np.float32(np.linalg.norm(star.probe) / np.linalg.norm(probe))
    return dataclasses.replace(displaced(star, moves), probe=scale * probe)


@pytest.mark.parametrize("kind", ["affine", "points"])
def test_a_stage_of_the_wrong_scale_is_put_right(star, kind):
    """Object, probe and positions share the error: moves alone left 0.63 and 0.66 px of it."""
    centred = star.positions_px - star.positions_px.mean(axis=0)
    wrong = on_wrong_stage(star, centred @ np.array([[0.02, 0.017], [-0.017, -0.01]]))
    found = run(
        wrong, refine_probe=True, refine_positions=kind, position_bound_px=4.0, refine_sweeps=40
    )
    assert position_error(wrong, star) > 0.7
    assert position_error(found.scan, star) < 0.05


def test_a_stage_that_bends_is_put_right(star):
    """Moves alone left 0.33 px of it."""
    centred = star.positions_px - star.positions_px.mean(axis=0)
    u, v = (centred / np.abs(centred).max()).T
    bend = 1.5 * np.stack([2 * u * v + v**2, u**2 - 1.5 * v**3], axis=1)
    wrong = on_wrong_stage(star, bend)
    found = run(wrong, refine_probe=True, refine_positions="points", refine_sweeps=40)
    assert position_error(wrong, star) > 0.7
    assert position_error(found.scan, star) < 0.05


@pytest.mark.parametrize("kind", ["affine", "points"])
def test_few_photons_do_not_shrink_a_scan_that_is_right(kind):
    dim = simulate(SimulationConfig(object="spokes", n=32, patterns=300, step_px=3.0, photons=1e4))
    found = run(dim, refine_positions=kind, refine_sweeps=40).scan.positions_px
    given = dim.positions_px - dim.positions_px.mean(axis=0)
    scale = (given * (found - found.mean(axis=0))).sum() / (given**2).sum()
    assert scale == pytest.approx(1, abs=0.01)


def test_positions_keep_the_bound_and_the_canvas():
    scan = make_scan(24, photons=1e7, step=3.0)
    wrong = displaced(scan, np.random.default_rng(3).normal(0, 2, scan.positions_px.shape))
    found = run(wrong, refine_positions="points", position_bound_px=0.25, refine_sweeps=8)
    # the affine map of the first rounds comes before the bound; so few patterns get no warp
    after_affine = run(wrong, refine_positions="affine", refine_sweeps=4)
    away = found.scan.positions_px - after_affine.scan.positions_px
    assert 0.2 < np.linalg.norm(away, axis=1).max() < 0.25 + 1e-6


def test_what_is_frozen_stays_bit_by_bit():
    scan = make_scan(24)
    found = run(bent(scan), refine_probe=True, refine_sweeps=2)
    assert found.scan.positions_px is scan.positions_px
    assert found.start_positions_px is None
    assert not wants_refinement(RefinementConfig())
    assert wants_refinement(RefinementConfig(refine_positions="affine"))
    assert sweeps_of(RefinementConfig(refine_sweeps=3)) == 3


def test_more_modes_than_given_explain_a_beam_of_several():
    settings = SimulationConfig(
        n=32, patterns=64, modes=2, probe="gaussian", defocus_rad=1.5, step_px=3, photons=1e7
    )
    scan = simulate(settings)
    single = dataclasses.replace(scan, probe=scan.probe[:1])
    one = run(single, refine_probe=True, refine_sweeps=20)
    three = run(single, refine_probe=True, probe_modes=3, refine_sweeps=20)
    assert one.scan.n_modes == 1
    assert three.figures["misfit_last_sweep"] < 0.1 * one.figures["misfit_last_sweep"]
    powers = (np.abs(three.scan.probe) ** 2).sum(axis=(1, 2))
    true = (np.abs(scan.probe) ** 2).sum(axis=(1, 2))
    np.testing.assert_allclose(powers[:2] / powers.sum(), true / true.sum(), atol=0.05)
    assert powers[2] < 0.03 * powers.sum()


def test_bad_pixels_count_for_nothing():
    mask = np.ones((24, 24), dtype=bool)
    mask[3:5, 10:14] = mask[12, 12] = False
    scan = make_scan(24, mask=mask)
    spoilt = scan.patterns.copy()
    spoilt[:, ~mask] = 60_000
    settings = {"refine_probe": True, "refine_positions": "points", "refine_sweeps": 7}
    clean = run(bent(scan), **settings)
    dirty = run(bent(dataclasses.replace(scan, patterns=spoilt)), **settings)
    np.testing.assert_array_equal(clean.scan.probe, dirty.scan.probe)
    np.testing.assert_array_equal(clean.scan.positions_px, dirty.scan.positions_px)


def test_batches_change_nothing_and_progress_counts_every_pattern():
    scan, seen = bent(make_scan(24, side=4)), []
    settings = RefinementConfig(refine_probe=True, refine_positions="points", refine_sweeps=6)
    answers = [
        refine(
            scan, settings, device=CPU, batch_size=size, cache_bytes=cache, on_progress=seen.append
        )
        for size, cache in ((1, 0), (500, 1e9))
    ]
    assert sum(seen) == 2 * 6 * scan.n_patterns
    first, second = (answer.scan for answer in answers)
    np.testing.assert_allclose(first.probe, second.probe, atol=1e-3 * np.abs(second.probe).max())
    np.testing.assert_allclose(first.positions_px, second.positions_px, atol=0.02)


@pytest.mark.parametrize("count", [2, 3])
def test_processes_share_the_patterns_and_find_the_same(count):
    scan = bent(make_scan(24, modes=2, photons=1e7, step=3.0))
    moves = np.random.default_rng(3).normal(0, 0.5, scan.positions_px.shape)
    moves[20] = (4, -3)
    settings = RefinementConfig(refine_probe=True, refine_positions="points", refine_sweeps=16)
    wrong, worked = displaced(scan, moves), []

    def work(processes):
        done = []
        found = refine(
            wrong, settings, device=CPU, on_progress=done.append, processes=processes, batch_size=9
        )
        worked.append(sum(done))
        return found

    alone = work(ALONE)
    assert alone.figures["patterns_found_elsewhere"] > 0
    for found in together(work, count):
        assert set(found.figures) == set(alone.figures)
        for name, figure in alone.figures.items():
            if name != "seconds":
                assert found.figures[name] == pytest.approx(figure, rel=1e-4)
        np.testing.assert_allclose(found.scan.positions_px, alone.scan.positions_px, atol=2e-4)
        apart = np.linalg.norm(found.scan.probe - alone.scan.probe)
        assert apart < 1e-5 * np.linalg.norm(alone.scan.probe)
    assert sum(worked[1:]) == worked[0] == 16 * scan.n_patterns


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"refine_probe": True, "probe_modes": 25}, "found 25 .*wanted 2 to 24 for"),
        ({"refine_probe": True, "probe_modes": 1}, "found 1 .*wanted 2 to 24"),
        ({"probe_modes": 4}, "add --refine-probe true"),
    ],
)
def test_modes_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        run(make_scan(24, modes=2, side=3), **settings)
    with pytest.raises(ConfigError, match="<= 64"):
        RefinementConfig(refine_probe=True, probe_modes=65)


def test_a_refinement_that_goes_astray_changes_nothing(caplog):
    scan = make_scan(24, side=3)
    start = np.full(scan.canvas_shape, np.nan, dtype=np.complex64)
    settings = RefinementConfig(refine_probe=True, refine_sweeps=2)
    found = refine(scan, settings, device=CPU, start=start)
    assert found.scan is scan
    assert found.start_probe is None
    assert "went astray" in caplog.text


def test_affine_step_solves_an_affine_problem():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 100, (40, 2))
    normal = np.einsum("kai,kaj->kij", *[rng.normal(size=(40, 3, 2))] * 2)
    moves = (places - 50) @ np.array([[0.01, -0.02], [0.005, 0.03]]) + (0.1, -0.3)
    gradient = np.einsum("kij,kj->ki", normal, moves)
    np.testing.assert_allclose(affine_step(places, gradient, normal), moves, atol=0.01)
    np.testing.assert_allclose(point_steps(gradient, normal, 9.0), moves, atol=0.5)
    assert np.linalg.norm(point_steps(gradient, normal, 0.1), axis=1).max() <= 0.1 + 1e-12


def test_a_disc_of_whole_steps():
    assert len(disc(1.0)) == 5
    assert len(disc(0.5)) == 1
    assert np.linalg.norm(disc(5.0), axis=1).max() == 5
