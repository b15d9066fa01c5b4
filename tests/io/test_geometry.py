import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptychopinn.errors import DataError
from ptychopinn.io.detector_window import probe_of_cut, window_about
from ptychopinn.io.geometry import (
    ENERGIES_EV,
    LENGTHS_M,
    Geometry,
    converted,
    electron_wavelength_m,
    parse_quantity,
    photon_energy_ev,
    photon_wavelength_m,
)
from ptychopinn.io.probe_estimate import estimate_probe
from tests.conftest import smooth_probe
from tests.io.files import one_sentence


def test_wavelengths_are_those_of_the_tables():
    assert photon_wavelength_m(12398.42) == pytest.approx(1e-10, rel=1e-6)
    assert electron_wavelength_m(300e3) == pytest.approx(1.9687e-12, rel=1e-4)
    assert electron_wavelength_m(80e3) == pytest.approx(4.1757e-12, rel=1e-4)


@given(st.floats(30, 5e5))
def test_energy_and_wavelength_undo_each_other(energy):
    assert photon_energy_ev(photon_wavelength_m(energy)) == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize(
    ("what", "value", "unit", "usual", "wanted"),
    [
        ("energy", 8.8, "keV", "eV", 8800),
        ("energy", 8800, None, "eV", 8800),
        ("energy", 8.8, None, "eV", 8800),  # 8.8 eV is no energy of an instrument
        ("energy", 8800, None, "keV", 8800),
        ("energy", 1.6e-16, None, "J", 998.6),
        ("wavelength", 1.5, None, "m", 1.5e-9),
        ("wavelength", 1.5, "Angstrom", "m", 1.5e-10),
        ("distance", 750, None, "m", 750),
        ("distance", 1950, None, "m", 1.95),
        ("pixel", 75, None, "m", 75e-6),
        ("pixel", 0.075, "mm", "m", 75e-6),
    ],
)
def test_units_are_converted_or_guessed(what, value, unit, usual, wanted):
    made, said = converted("f.h5", "key", what, value, unit, usual)
    assert made == pytest.approx(wanted, rel=1e-4)
    assert bool(said) == (made != value or usual == "keV")


@pytest.mark.parametrize(
    ("what", "value", "unit", "words"),
    [
        ("energy", 8.8, "eV", "likely 8.8 keV: say --map energy=8.8keV"),
        ("distance", 2000, "m", "distance=2000mm"),
        ("pixel", 75, "m", "pixel=75um"),
        ("energy", 1e12, "eV", "--map energy="),
        ("energy", 8, "furlong", "the unit 'furlong'"),
        ("distance", float("nan"), "m", "nan m"),
    ],
)
def test_absurd_values_are_refused_with_the_likely_reading(what, value, unit, words):
    with pytest.raises(DataError) as error:
        converted("f.h5", "key", what, value, unit, "m" if what != "energy" else "eV")
    assert one_sentence(str(error.value), "f.h5", words)


@given(
    st.floats(1e-6, 1e6),
    st.sampled_from(sorted(ENERGIES_EV) + sorted(LENGTHS_M)),
    st.sampled_from(["", " "]),
)
def test_numbers_with_units_are_parsed(value, unit, between):
    assert parse_quantity(f"{value!r}{between}{unit}") == (value, unit)


def test_object_pixels_follow_the_detector():
    geometry = Geometry(1e-10, 2.0, (75e-6, 150e-6))
    assert geometry.pixel_sizes_m(100) == pytest.approx((2.6667e-8, 1.3333e-8), rel=1e-4)
    assert Geometry(1e-10, None, None).unknown == ["distance", "pixel"]


@given(st.integers(4, 40), st.integers(4, 40), st.data())
def test_windows_lie_inside_with_their_middle_at_the_centre(rows, columns, data):
    center = tuple(data.draw(st.integers(2, size - 2)) for size in (rows, columns))
    for part, size, at in zip(
        window_about("f", "k", (rows, columns), center, None), (rows, columns), center, strict=True
    ):
        n = part.stop - part.start
        assert part.start >= 0
        assert part.stop <= size
        assert part.start + n // 2 == at


@pytest.mark.parametrize(("n", "m"), [(32, 16), (33, 17), (32, 15)])
def test_a_probe_on_coarser_pixels_keeps_the_middle_of_its_far_field(n, m):
    def far(wave):
        axes = (-2, -1)
        moved = np.fft.ifftshift(wave, axes)
        return np.fft.fftshift(np.fft.fft2(moved, norm="ortho"), axes)

    probe = smooth_probe(n, 2)
    start = n // 2 - m // 2
    wanted = far(probe)[:, start : start + m, start : start + m]
    np.testing.assert_allclose(far(probe_of_cut(probe, m)), wanted, atol=1e-5)


@pytest.mark.parametrize("domain", ["counts", "amplitude"])
def test_the_estimate_has_the_light_of_the_mean_pattern(domain):
    rng = np.random.default_rng(0)
    counts = rng.poisson(50, (20, 16, 16)).astype(float)
    mask = np.ones((16, 16), dtype=bool)
    mask[3, 3] = False
    counts[:, 3, 3] = 1e9
    stored = counts if domain == "counts" else np.sqrt(counts)
    probe = estimate_probe(stored, mask, domain)
    far = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe[0]), norm="ortho"))
    np.testing.assert_allclose(np.abs(far[mask]) ** 2, counts.mean(axis=0)[mask], rtol=1e-4)
    assert np.abs(far[3, 3]) ** 2 < 100
