import itertools
import socket
from typing import get_args, get_type_hints

import numpy as np
import pytest

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import DataError
from ptychopinn.simulation import OBJECTS, make_object, objects, photographs
from ptychopinn.simulation.star import siemens_star

SHAPE = (110, 140)


def painted(kind, seed=0, shape=SHAPE, **settings):
    config = SimulationConfig(object=kind, **settings)
    return make_object(shape, np.random.default_rng(seed), config)


def test_every_kind_of_the_settings_is_there():
    assert set(OBJECTS) == set(get_args(get_type_hints(SimulationConfig)["object"]))


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_amplitude_and_phase_fill_their_ranges(kind):
    image = painted(kind, amplitude_range=0.4, phase_range_rad=3.2)
    assert image.shape == SHAPE
    assert image.dtype == np.complex64
    amplitude, phase = np.abs(image), np.angle(image)
    assert amplitude.min() == pytest.approx(0.6, abs=1e-5)
    assert amplitude.max() == pytest.approx(1.0, abs=1e-5)
    assert phase.min() == pytest.approx(-1.6, abs=1e-5)
    assert phase.max() == pytest.approx(1.6, abs=1e-5)


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_no_range_gives_an_empty_beam(kind):
    image = painted(kind, amplitude_range=0.0, phase_range_rad=0.0)
    np.testing.assert_array_equal(image, np.ones(SHAPE, dtype=np.complex64))


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_the_seed_decides(kind):
    np.testing.assert_array_equal(painted(kind, 3), painted(kind, 3))
    if kind != "spokes":
        assert np.abs(painted(kind, 3) - painted(kind, 4)).mean() > 0.05


@pytest.mark.parametrize("kind", sorted(set(OBJECTS) - {"spokes"}))
def test_phase_is_not_a_copy_of_the_amplitude(kind):
    image = painted(kind)
    assert abs(np.corrcoef(np.abs(image).ravel(), np.angle(image).ravel())[0, 1]) < 0.9


@pytest.mark.parametrize("kind", sorted(OBJECTS))
@pytest.mark.parametrize("shape", [(17, 40), (9, 9)])
def test_small_canvases_are_painted_too(kind, shape):
    image = painted(kind, shape=shape)
    assert image.shape == shape
    assert np.isfinite(image).all()


def test_the_star_differs_from_all_its_flips_and_turns():
    star = siemens_star((160, 160))
    turned = [
        np.rot90(flipped, quarter)
        for flipped, quarter in itertools.product((star, star.T), range(4))
    ]
    for other in turned[1:]:
        assert np.abs(other - star).sum() > 50


def test_the_mark_of_the_star_is_an_upright_l_in_the_upper_right():
    star = siemens_star((240, 240))
    y, x, half = 119.5 - 0.18 * 240, 119.5 + 0.13 * 240, 14
    mark = star[round(y) - half : round(y) + half, round(x) - half : round(x) + half] > 0.5
    assert mark[:, half - 8].mean() > 0.9
    assert mark[:, half + 5].mean() < 0.35
    assert mark[half + 10, half - 6 : half + 6].all()
    assert not mark[half - 10, half : half + 8].any()


def test_the_star_is_sharp_without_being_jagged():
    star = siemens_star((240, 240))
    grey = (star > 0.02) & (star < 0.98)
    assert 0.02 < grey.mean() < 0.2
    assert 0.2 < star.mean() < 0.4


def test_spokes_become_finer_towards_the_middle():
    star = siemens_star((400, 400))
    angles = np.linspace(0, 2 * np.pi, 20000, endpoint=False) + np.pi
    edges = []
    for radius in (56, 168):
        y = np.round(199.5 + radius * np.sin(angles)).astype(int)
        x = np.round(199.5 + radius * np.cos(angles)).astype(int)
        runs = np.diff(np.flatnonzero(np.diff(star[y, x] > 0.5)))
        edges.append(np.median(runs) / len(angles) * 2 * np.pi * radius)
    assert edges[0] == pytest.approx(edges[1] / 3, rel=0.15)


@pytest.mark.parametrize("width", [1.0, 4.0])
def test_one_line_is_straight_and_as_wide_as_announced(width, monkeypatch):
    monkeypatch.setattr(objects, "LINE_WIDTH_PX", (width, width))
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :240]
    long_lines = 0
    for _ in range(20):
        canvas = np.zeros((2, 240, 240))
        objects._add_line(canvas, rng)
        cover = canvas[0] / canvas[0].max()
        np.testing.assert_allclose(cover, canvas[1] / canvas[1].max())
        offsets = np.stack([y, x]).reshape(2, -1) - 0.0
        offsets -= (offsets * cover.ravel()).sum(axis=1, keepdims=True) / cover.sum()
        spread = np.linalg.eigvalsh(offsets * cover.ravel() @ offsets.T / cover.sum())
        across, along = np.sqrt(12 * spread)
        if along > 100:
            long_lines += 1
            assert across**2 == pytest.approx(width**2 + 1, abs=0.25 * width)
            assert cover.sum() == pytest.approx(width * along, rel=0.12)
    assert long_lines > 10


def test_lines_run_in_all_directions():
    image = np.abs(painted("lines", shape=(200, 200)))
    slopes = np.gradient(image)
    strength = [np.mean(slope**2) for slope in slopes]
    diagonal = np.mean(slopes[0] * slopes[1])
    assert 0.4 < strength[0] / strength[1] < 2.5
    assert abs(diagonal) < 0.4 * np.sqrt(strength[0] * strength[1])


def test_leaves_are_flat_inside_and_hide_each_other():
    image = painted("dead_leaves", shape=(256, 256))
    amplitude, phase = np.abs(image), np.angle(image)
    flat = np.abs(np.diff(amplitude, axis=0)) < 1e-6
    assert 0.5 < flat.mean() < 0.95
    assert np.mean(flat == (np.abs(np.diff(phase, axis=0)) < 1e-6)) > 0.99


def test_noise_has_its_power_law():
    image = objects.noise((256, 256), np.random.default_rng(0))[0]
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None, :])
    band = (frequency > 0.02) & (frequency < 0.3)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert slope == pytest.approx(2 * objects.NOISE_EXPONENT, abs=0.2)


def test_photographs_need_no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("something asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in photographs.NAMES:
        assert photographs._read(name).std() > 0.03


def test_photographs_cover_canvases_larger_than_themselves():
    images = photographs.photographs((1300, 700), np.random.default_rng(0), 2)
    for image in images:
        assert image.shape == (1300, 700)
        assert image[-100:].std() > 0.01
    assert abs(np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1]) < 0.9


def test_a_missing_photograph_is_named(monkeypatch):
    monkeypatch.setattr(photographs, "NAMES", ("no_such", "no_such_either"))
    with pytest.raises(DataError, match=r"no_such\w*\.png is missing; reinstall"):
        painted("photo")
