"""Endless synthetic scans of every kind, for training that should serve any measurement."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from ptychopinn.config import PretrainingConfig, SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.physics.fourier import fourier, inverse_fourier
from ptychopinn.scan import Scan
from ptychopinn.simulation.synthesis import simulate

#: Objects and probes that weights are trained on. Photographs, square apertures and
#: strong aberrations are kept out, so that there is something to judge on that training never saw.
SEEN_OBJECTS = ("lines", "dead_leaves", "spokes", "noise")
SEEN_PROBES = ("zone_plate", "zone_plate", "disk", "gaussian")
#: Sides of patterns, as often as they are drawn.
SIZES = (64,) * 20 + (128,) * 11 + (256,)
#: A draw whose probe fits no window is drawn again, at most so often.
_ATTEMPTS = 50


@dataclass(frozen=True)
class RandomScan:
    """A synthetic scan as a user would hand it in, with what was really there."""

    scan: Scan
    """With the probe and the positions that are believed; now and then they are wrong."""
    settings: SimulationConfig
    """What it was made of."""
    probe_is_wrong: bool
    positions_are_wrong: bool


def random_scan(settings: PretrainingConfig, number: int) -> RandomScan:
    """Make the scan of a number; the same seed and number give the same scan.

    Args:
        settings: Seed, sizes, and how often probe and positions are wrong.
        number: Of the scan, from 0 without end.

    Raises:
        ConfigError: The ranges allow no probe that fits its window.
    """
    rng = np.random.default_rng((settings.seed, number))
    for _ in range(_ATTEMPTS):
        drawn = draw_settings(settings, rng)
        try:
            scan = simulate(drawn)
        except ConfigError:
            continue
        wrong_probe = rng.random() < settings.wrong_probe_share
        wrong_positions = rng.random() < settings.wrong_positions_share
        if wrong_probe:
            known = _without_weak_modes(scan.probe, 1 + int(rng.integers(scan.n_modes)))
            scan = replace(scan, probe=_defocused(known, rng.normal(0, settings.defocus_rad)))
        if wrong_positions:
            scan = _displaced(scan, rng, settings.displacement_px)
        return RandomScan(scan, drawn, wrong_probe, wrong_positions)
    raise ConfigError(
        f"pretraining: {_ATTEMPTS} draws gave no probe that fits its window; use a larger "
        "--largest-n."
    )


def draw_settings(settings: PretrainingConfig, rng: np.random.Generator) -> SimulationConfig:
    """Draw the settings of one scan: object, probe, overlap, dose, detector."""
    n = int(rng.choice([size for size in SIZES if size <= settings.largest_n]))
    probe_size = rng.uniform(0.15, 0.45)
    overlap = 0.3 + 0.6 * rng.beta(1.8, 1.2)
    return SimulationConfig(
        object=str(rng.choice(SEEN_OBJECTS)),  # type: ignore[arg-type]
        probe=str(rng.choice(SEEN_PROBES)),  # type: ignore[arg-type]
        scan=str(rng.choice(["raster", "fermat", "random"])),  # type: ignore[arg-type]
        n=n,
        patterns=int(np.clip(settings.pixels // n**2, 12, 144)),
        step_px=max(1.0, (1 - overlap) * probe_size * n),
        photons=10 ** rng.uniform(*np.log10([settings.least_photons, settings.most_photons])),
        modes=int(rng.choice([1, 1, 1, 2, 3])),
        probe_size=probe_size,
        central_stop=float(rng.choice([0.0, rng.uniform(0.1, 0.5)])),
        defocus_rad=float(rng.uniform(0, 14)),
        aberration_rad=float(rng.choice([0.0, 0.0, rng.uniform(0.1, 1.5)])),
        phase_range_rad=float(0.1 + 3.0 * rng.beta(1.5, 3)),
        amplitude_range=float(0.8 * rng.beta(1.5, 2)),
        jitter_px=float(rng.uniform(0, 1.5)),
        gap_px=int(rng.choice([0, 0, 0, 0, int(rng.integers(1, n // 8 + 1))])),
        dead_fraction=float(rng.choice([0.0, 0.0, 0.0, rng.uniform(0, 0.02)])),
        seed=int(rng.integers(2**32)),
    )


def _without_weak_modes(probe: np.ndarray, kept: int) -> np.ndarray:
    """Return the first of (P, N, N) modes with the power of all."""
    known = probe[:kept]
    power, left = (float(np.sum(np.abs(modes) ** 2)) for modes in (probe, known))
    return (known * np.sqrt(power / left)).astype(np.complex64)


def _defocused(probe: np.ndarray, phase_rad: float) -> np.ndarray:
    """Propagate (P, N, N) modes by a quadratic phase that reaches phase_rad at the far-field rim.

    The rim is the circle that holds 90 % of the far-field light.
    """
    n = probe.shape[-1]
    wave = fourier(torch.from_numpy(probe))
    axis = torch.arange(n) - n // 2
    squared = axis[:, None] ** 2 + axis[None, :] ** 2
    light = wave.abs().square().sum(dim=0)
    order = torch.argsort(squared.reshape(-1))
    held = torch.cumsum(light.reshape(-1)[order], 0) / light.sum()
    rim = squared.reshape(-1)[order][int(torch.searchsorted(held, 0.9))].clamp_min(1)
    bent = wave * torch.polar(torch.ones_like(light), phase_rad * squared / rim)
    return inverse_fourier(bent).numpy().astype(np.complex64)


def _displaced(scan: Scan, rng: np.random.Generator, sigma_px: float) -> Scan:
    """Give every position an error that the reconstruction does not know of."""
    spread = rng.uniform(0, sigma_px)
    moved = scan.positions_px + rng.normal(0, spread, scan.positions_px.shape)
    half = scan.n // 2
    limit = np.asarray(scan.canvas_shape) - (scan.n - half)
    inside = np.clip(moved, half, limit)
    return replace(scan, positions_px=inside)
