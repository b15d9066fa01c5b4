"""The ranking names the orientation that a scan has, and none where nothing tells."""

import resource
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.orientation import cases, is_right, orient, write_case

from ptychopinn.errors import DataError
from ptychopinn.preflight import rank_orientations
from ptychopinn.preflight.excerpt import excerpt
from ptychopinn.preflight.twin import self_conjugate_share
from ptychopinn.symmetry import ORIENTATIONS, SCAN_AXES
from tests.conftest import make_scan
from tests.preflight.scans import simulated, with_patterns_turned, with_positions_turned


@pytest.fixture(scope="module")
def scan():
    """Astigmatic, so that it looks different from every side."""
    return simulated(aberration_rad=2.0, central_stop=0.0)


@pytest.mark.parametrize(
    ("patterns", "positions"),
    [
        ("antitranspose", "swap-flip-x"),
        pytest.param("rot90", "flip-yx", marks=pytest.mark.heavy),
    ],
)
def test_the_way_back_is_found(scan, patterns, positions):
    turned = with_patterns_turned(scan, ORIENTATIONS[patterns])
    turned = with_positions_turned(turned, SCAN_AXES[positions])
    found = rank_orientations(turned, device="cpu")
    assert found.decision == "clear"
    assert found.margin > 4
    assert len({one.orientation for one in found.hypotheses}) == 8
    assert ORIENTATIONS[found.best.orientation] == ORIENTATIONS[patterns].inverse
    assert SCAN_AXES[found.best.scan_axes] == SCAN_AXES[positions].inverse


@pytest.mark.heavy
def test_a_probe_that_turns_with_the_patterns_brings_the_positions_along(scan):
    turn = ORIENTATIONS["rot90"]
    turned = with_patterns_turned(scan, turn)
    turned = replace(turned, probe=turn.of_images(scan.probe).copy())
    best = rank_orientations(turned, device="cpu").best
    assert best.orientation == "stored"
    assert SCAN_AXES[best.scan_axes] == turn


def test_shuffled_positions_have_no_winner():
    scan = make_scan(32)
    order = np.random.default_rng(0).permutation(scan.n_patterns)
    found = rank_orientations(replace(scan, positions_px=scan.positions_px[order]), device="cpu")
    assert found.decision == "unclear"


def test_a_probe_in_focus_leaves_twins():
    found = rank_orientations(simulated(probe="gaussian", defocus_rad=0.1), device="cpu")
    assert found.decision == "twins"
    assert {found.best.orientation, found.twin.orientation} == {"stored", "rot180"}


@pytest.mark.parametrize(("defocus_rad", "least", "most"), [(0.0, 0.99, 1.01), (6.0, 0.0, 0.3)])
def test_share_that_is_its_own_conjugate(defocus_rad, least, most):
    probe = simulated(probe="gaussian", defocus_rad=defocus_rad, patterns=4).probe
    ramp = np.exp(2j * np.pi * 3.3 * np.arange(64) / 64)
    shared = self_conjugate_share(probe)
    assert least < shared < most
    assert self_conjugate_share(probe * ramp) == pytest.approx(shared, abs=0.01)


def test_the_excerpt_is_the_same_experiment_in_larger_pixels(scan):
    piece = excerpt(scan)
    assert len(piece.counts) == 100
    assert piece.n < scan.n
    power = float((np.abs(piece.probe) ** 2).sum())
    assert power == pytest.approx(piece.counts.sum(axis=(1, 2)).mean(), rel=1e-4)
    away = np.linalg.norm(piece.positions_px - piece.positions_px.mean(axis=0), axis=1)
    assert 10 < piece.held_out.sum() < 50
    assert away[piece.held_out].max() < 0.9 * away.max()


def test_amplitudes_without_a_unit_do():
    scan = make_scan(32, side=9)
    amplitude = np.sqrt(scan.patterns) * np.float32(1e-4)
    unitless = replace(scan, patterns=amplitude, domain="amplitude")
    found = rank_orientations(unitless, device="cpu")
    assert (found.decision, found.best.orientation) == ("clear", "stored")


def test_few_patterns_are_refused(scan):
    with pytest.raises(DataError, match="24"):
        rank_orientations(scan.select(np.arange(10)), device="cpu")


#: Patterns turned, an axis mirrored, zero frequency in the corner, a rough probe.
IN_EVERY_RUN = 3


def processor_seconds() -> float:
    """Of the commands that were run; unlike the clock it does not see how busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    "number",
    [n if n == IN_EVERY_RUN else pytest.param(n, marks=pytest.mark.heavy) for n in range(16)],
)
def test_the_real_scan_turned(real_scan_files, tmp_path, number):
    case = cases(16)[number]
    path = tmp_path / "turned.npz"
    write_case(case, *real_scan_files, path)
    before = processor_seconds()
    answer, _ = orient(path)
    assert is_right(case, answer), (case, answer["hypotheses"][0], answer["flags"])
    assert processor_seconds() - before < 20
