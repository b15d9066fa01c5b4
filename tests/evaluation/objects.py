"""Synthetic complex objects and the ways in which a reconstruction may differ from them."""

import numpy as np
from scipy import ndimage


def texture(shape, smoothing_px=2.0, seed=0):
    """Periodic smooth noise of mean 0 and standard deviation 1."""
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(noise, smoothing_px, mode="wrap")
    return (smooth - smooth.mean()) / smooth.std()


def make_object(kind, shape, smoothing_px=2.0, seed=0):
    """A complex object: weak_phase, phase, diffuser (many radians), amplitude or both."""
    one, other = texture(shape, smoothing_px, seed), texture(shape, smoothing_px, seed + 1)
    made = {
        "weak_phase": np.exp(0.05j * one),
        "phase": np.exp(0.8j * one),
        "diffuser": np.exp(3j * one),
        "amplitude": 1 + 0.2 * one + 0j,
        "both": (1 + 0.15 * other) * np.exp(0.5j * one),
    }
    return made[kind]


def periodic_shift(field, shift_px):
    """Exact shift of a periodic band-limited image."""
    return np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(field), shift_px))


def cycles_to_rad_per_px(shape, cycles):
    return tuple(2 * np.pi * c / size for c, size in zip(cycles, shape, strict=True))


def ramp_field(shape, ramp_rad_per_px):
    """exp(i g . (r - middle)), written independently of the package."""
    y, x = np.indices(shape)
    y, x = y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2
    return np.exp(1j * (ramp_rad_per_px[0] * y + ramp_rad_per_px[1] * x))


def complex_noise(shape, sigma, seed=99):
    """White complex noise; `sigma` is the standard deviation of each part."""
    rng = np.random.default_rng(seed)
    return sigma * (rng.normal(size=shape) + 1j * rng.normal(size=shape))


def inner(shape, margin):
    """A weight of 1 with a border of 0."""
    weight = np.zeros(shape)
    weight[margin:-margin, margin:-margin] = 1
    return weight
