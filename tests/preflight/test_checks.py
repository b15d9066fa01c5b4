"""Each check passes on a good scan, and answers to what it is there for."""

import time
from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.io import read_scan
from ptychopinn.preflight import check_scan, quick_checks, worst
from ptychopinn.preflight.checks import CHECKS
from ptychopinn.preflight.findings import Finding
from ptychopinn.scan import BadPixels
from ptychopinn.symmetry import ORIENTATIONS
from tests.preflight.scans import simulated, with_patterns_turned


@pytest.fixture(scope="module")
def good():
    return simulated()


def by_name(scan, checks=check_scan):
    return {found.name: found for found in checks(scan)}


def test_a_good_scan_passes_everything(good):
    for checks in (check_scan, quick_checks):
        found = checks(good)
        assert len(found) == len(CHECKS)
        assert {one.name: one.found for one in found if one.verdict != "pass"} == {}
        assert not any(one.remedy for one in found)


def spread(scan, factor):
    """Move positions apart."""
    places = scan.positions_px * factor
    side = int(places.max()) + scan.n
    return replace(scan, positions_px=places, canvas_shape=(side, side), truth=None)


def denser(scan, factor):
    """Move positions together."""
    places = (scan.positions_px - scan.positions_px.min(axis=0)) * factor + scan.n // 2
    return replace(scan, positions_px=places)


def moved(scan, chosen, by_px):
    places = scan.positions_px.copy()
    places[chosen] += by_px
    side = int(places.max()) + scan.n
    return replace(scan, positions_px=places, canvas_shape=(side, side), truth=None)


def at_same_place(scan):
    places = scan.positions_px.copy()
    places[:60] = places[0]
    return replace(scan, positions_px=places)


def brighter(scan, factor):
    made = np.random.default_rng(0).poisson(np.asarray(scan.patterns) * factor)
    return replace(scan, patterns=made.astype(np.uint32))


def with_dark(scan, count):
    patterns = np.array(scan.patterns)
    patterns[:count] = 0
    return replace(scan, patterns=patterns)


def saturated(scan, count):
    bad = np.zeros((scan.n, scan.n), dtype=bool)
    bad[32, :count] = True
    return replace(scan, bad_pixels=BadPixels({"saturated": bad}), mask=~bad)


def masked(scan, columns):
    mask = np.ones((scan.n, scan.n), dtype=bool)
    mask[:, columns] = False
    return replace(scan, mask=mask)


def with_probe(scan, change):
    return replace(scan, probe=np.ascontiguousarray(change(scan.probe), dtype=np.complex64))


def with_patterns(scan, change):
    return replace(scan, patterns=np.ascontiguousarray(change(np.asarray(scan.patterns))))


def without_middle(scan):
    away = np.linalg.norm(scan.positions_px - scan.positions_px.mean(axis=0), axis=1)
    return scan.select(np.flatnonzero(away > 16))


def other_optic(probe):
    y, x = np.indices(probe.shape[-2:]) - probe.shape[-1] // 2
    return np.exp(-(y**2 + x**2) / 2.0)[None] * np.exp(2j * np.pi * 12 * y / 64)


SPOILT = {
    "step too large": (lambda s: spread(s, 5.0), "overlap", "fail"),
    "step large": (lambda s: spread(s, 2.8), "overlap", "warn"),
    "wide probe": (lambda s: with_probe(s, np.ones_like), "oversampling", "warn"),
    "cut probe": (lambda s: with_probe(s, np.ones_like), "probe window", "fail"),
    "other probe": (lambda s: with_probe(s, other_optic), "probe and patterns", "warn"),
    "few photons": (lambda s: brighter(s, 1e-3), "photons", "warn"),
    "hardly any": (lambda s: brighter(s, 2e-5), "photons", "fail"),
    "a dark pattern": (lambda s: with_dark(s, 3), "steadiness", "warn"),
    "a third dark": (lambda s: with_dark(s, 40), "steadiness", "fail"),
    "saturated": (lambda s: saturated(s, 3), "saturation", "warn"),
    "much saturated": (lambda s: saturated(s, 50), "saturation", "fail"),
    "gap": (lambda s: masked(s, slice(28, 31)), "bad pixels", "warn"),
    "half hidden": (lambda s: masked(s, slice(0, 32)), "bad pixels", "fail"),
    "small detector": (
        lambda s: with_patterns(s, lambda p: np.roll(p, 24, axis=1)),
        "detector edge",
        "fail",
    ),
    "corner": (
        lambda s: with_patterns(s, lambda p: np.fft.ifftshift(p, axes=(1, 2))),
        "zero frequency",
        "fail",
    ),
    "off centre": (
        lambda s: with_patterns(s, lambda p: np.roll(p, 12, axis=2)),
        "zero frequency",
        "warn",
    ),
    "micrometres as pixels": (lambda s: denser(s, 0.05), "step", "fail"),
    "stuck stage": (at_same_place, "duplicate positions", "fail"),
    "a repeat": (
        lambda s: s.select(np.r_[np.arange(s.n_patterns), 5]),
        "duplicate positions",
        "warn",
    ),
    "a stray": (lambda s: moved(s, slice(0, 1), 300), "one piece", "warn"),
    "two islands": (lambda s: moved(s, slice(60, None), 300), "one piece", "fail"),
    "hole": (without_middle, "holes", "warn"),
    "mirrored": (lambda s: with_patterns_turned(s, ORIENTATIONS["fliplr"]), "orientation", "fail"),
    "no photons far out": (lambda s: brighter(s, 2e-5), "resolution", "warn"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_each_check_sees_its_fault(good, what):
    spoil, name, verdict = SPOILT[what]
    found = by_name(spoil(good))[name]
    assert found.verdict == verdict, found
    assert found.remedy
    assert by_name(spoil(good), quick_checks)[name].verdict == verdict


def test_the_likely_unit_of_too_small_a_step_is_named(good):
    um = replace(denser(good, 0.05), pixel_size_m=5e-8)  # 0.2 "px" are 0.2 um, 4 px
    remedy = by_name(um)["step"].remedy
    assert "the positions look like um (4" in remedy
    assert "--map position_unit=" in remedy


def test_repeats_and_dense_scans_have_a_step(good):
    """Ten visits to each place that an encoder tells apart by a thousandth of a pixel."""
    again = good.select(np.repeat(np.arange(good.n_patterns), 10))
    jitter = np.random.default_rng(0).normal(0, 1e-3, again.positions_px.shape)
    for scan in (replace(again, positions_px=again.positions_px + jitter), denser(good, 0.4)):
        assert by_name(scan, quick_checks)["step"].verdict == "pass"


def test_a_focused_probe_may_step_by_less_than_a_pixel(good):
    y, x = np.indices((64, 64)) - 32
    narrow = replace(good, probe=np.exp(-(y**2 + x**2) / 4)[None].astype(np.complex64))
    assert by_name(denser(narrow, 0.14))["step"].verdict == "pass"


def test_a_raster_without_jitter():
    settings = {"scan": "raster", "patterns": 121}
    assert by_name(simulated(**settings, jitter_px=0.0))["raster"].verdict == "warn"
    assert by_name(simulated(**settings, jitter_px=1.0))["raster"].verdict == "pass"


def test_a_single_pattern_is_no_defect(good):
    found = by_name(good.select(np.array([7])))
    assert found["overlap"].verdict == "warn"
    assert found["one piece"].verdict == "pass"


def test_worst():
    made = [Finding("a", verdict, "") for verdict in ("pass", "fail", "warn")]
    assert worst(made) == "fail"
    assert worst([]) == "pass"


def test_the_real_scan_passes_in_a_moment(real_scan_files):
    scan = read_scan(real_scan_files[0])
    quick_checks(scan)
    started = time.process_time()
    found = quick_checks(scan)
    assert time.process_time() - started < 0.3
    assert {one.name: one.found for one in found if one.verdict != "pass"} == {}


def test_many_positions_take_no_longer_before_a_run(good):
    """Nothing that grows with the scan is looked at beyond what takes a second."""
    count = 150_000
    places = np.random.default_rng(0).uniform(32, 1600, size=(count, 2))
    patterns = np.broadcast_to(np.asarray(good.patterns)[:1], (count, good.n, good.n))
    many = replace(
        good, patterns=patterns, positions_px=places, canvas_shape=(1700, 1700), truth=None
    )
    started = time.process_time()
    found = {one.name for one in quick_checks(many)}
    assert time.process_time() - started < 2.0
    assert "overlap" in found
    assert not found & {"holes", "one piece"}
