import numpy as np
import pytest
import torch

from ptychopinn.physics.fourier import fourier, inverse_fourier, squared_modulus, to_corner


@pytest.mark.parametrize("n", [8, 9])
def test_plane_wave_goes_to_one_pixel(n):
    """exp(2 pi i q.(r - c) / N) must land at c + q, with q in (row, column) order."""
    r = torch.arange(n) - n // 2
    qy, qx = 2, -3
    phase = 2 * torch.pi * (qy * r[:, None] + qx * r[None, :]) / n
    spectrum = fourier(torch.polar(torch.ones(n, n), phase))
    expected = torch.zeros(n, n)
    expected[n // 2 + qy, n // 2 + qx] = n
    torch.testing.assert_close(spectrum.abs(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("n", [8, 9])
def test_point_source_gives_a_flat_real_spectrum(n):
    wave = torch.zeros(n, n, dtype=torch.complex64)
    wave[n // 2, n // 2] = 1
    torch.testing.assert_close(fourier(wave), torch.full((n, n), 1 / n + 0j))


def test_matches_the_sum_by_hand():
    n = 5
    rng = np.random.default_rng(0)
    wave = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    c = np.arange(n) - n // 2
    kernel = np.exp(-2j * np.pi * np.outer(c, c) / n) / np.sqrt(n)
    expected = kernel @ wave @ kernel.T
    np.testing.assert_allclose(fourier(torch.from_numpy(wave)).numpy(), expected, atol=1e-12)
    back = inverse_fourier(torch.from_numpy(expected)).numpy()
    np.testing.assert_allclose(back, wave, atol=1e-12)


@pytest.mark.parametrize("n", [6, 7])
def test_corner_layout_holds_the_same_intensities(n):
    wave = torch.randn(3, n, n, dtype=torch.complex128)
    centred = squared_modulus(fourier(wave))
    plain = squared_modulus(torch.fft.fft2(wave, norm="ortho"))
    torch.testing.assert_close(to_corner(centred), plain)


def test_squared_modulus():
    wave = torch.randn(4, 4, dtype=torch.complex128)
    torch.testing.assert_close(squared_modulus(wave), wave.abs() ** 2)
