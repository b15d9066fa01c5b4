import numpy as np
import pytest

from ptychopinn.report.phase import PhaseFrame, phasor

OFFSETS = np.linspace(-3.1, 3.1, 9)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("span", [0.0, 0.01, 1.0, 3.0, 5.5])
def test_phases_short_of_a_circle_come_back_without_wraps(span, offset):
    phase = np.linspace(0, span, 501) ** 2 / max(span, 1e-9)
    waves = 3 * np.exp(1j * (phase + offset))
    frame = PhaseFrame.of(waves)
    assert not frame.cyclic
    np.testing.assert_allclose(frame.phase(waves), phase - np.median(phase), atol=1e-9)


@pytest.mark.parametrize("offset", OFFSETS)
def test_two_levels_far_apart_do_not_wrap(offset):
    rng = np.random.default_rng(0)
    phase = np.where(rng.random(4000) < 0.7, 0.0, 3.0) + 0.2 * rng.normal(size=4000)
    waves = np.exp(1j * (phase + offset))
    frame = PhaseFrame.of(waves)
    np.testing.assert_allclose(frame.phase(waves), phase - np.median(phase), atol=1e-9)


@pytest.mark.parametrize("offset", OFFSETS)
def test_full_circle_is_cyclic_around_its_mean(offset):
    phase = np.random.default_rng(0).normal(0, 1.5, 20_000)
    frame = PhaseFrame.of(np.exp(1j * (phase + offset)))
    assert frame.cyclic
    assert np.exp(1j * frame.zero_rad) == pytest.approx(np.exp(1j * offset), abs=0.05)
    found = frame.phase(np.exp(1j * (np.array([-3.0, 0.0, 3.0]) + frame.zero_rad)))
    np.testing.assert_allclose(found, [-3.0, 0.0, 3.0], atol=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("waves", [[], [0j, 0j], [np.nan, np.inf]])
def test_nothing_to_go_by_leaves_phases_alone(waves):
    frame = PhaseFrame.of(np.array(waves, dtype=complex))
    assert not frame.cyclic
    assert frame.phase(np.exp([-2j, 0, 2j])) == pytest.approx([-2, 0, 2])


@pytest.mark.filterwarnings("error")
def test_phasor_keeps_zero_and_marks_what_is_not_finite():
    found = phasor(np.array([3j, 0, np.inf, np.nan, complex(0, np.nan), -2], dtype=np.complex64))
    assert found.dtype == np.complex64
    np.testing.assert_array_equal(found[[0, 1, 5]], [1j, 0, -1])
    assert np.isnan(found[2:5]).all()
