"""A whole synthetic scan: object, probe, positions and detector through the one forward model."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.config import SimulationConfig
from ptychopinn.physics.diffraction import predict_counts
from ptychopinn.scan import PatternBatch, Patterns, Scan
from ptychopinn.simulation.detector import detector_mask, poisson_counts
from ptychopinn.simulation.objects import make_object
from ptychopinn.simulation.positions import make_positions
from ptychopinn.simulation.probes import make_probe

#: Complex pixels of exit waves worked on at once.
BATCH_PIXELS = 2**19
#: Patterns whose mean sets the dose; they are spread evenly over the scan.
DOSE_PATTERNS = 1024

_DEFAULTS = SimulationConfig()


class Experiment(NamedTuple):
    """Everything about a synthetic scan but its patterns."""

    truth: np.ndarray
    """(H, W) complex64 object."""
    probe: np.ndarray
    """(P, N, N) complex64, sqrt(photons) per pixel."""
    positions_px: np.ndarray
    """(K, 2) float64 (y, x) of the windows' centre pixels (index N // 2)."""
    mask: np.ndarray
    """(N, N) bool, True = good detector pixel."""
    noise_seed: np.random.SeedSequence | None
    """Where photon noise starts; None = the patterns are the expected counts."""


def simulate(settings: SimulationConfig = _DEFAULTS) -> Scan:
    """Make a scan with known truth; the same settings give the same scan.

        I_k ~ Poisson( sum_p | F(shift(P_p, f_k) * O[window k]) |^2 ),   0 at masked pixels

    Gauge: the truth keeps its amplitude in [1 - amplitude_range, 1], and the probe is scaled so
    that the expected counts of a pattern, averaged over the scan and before the mask, are
    settings.photons. Scan.probe is therefore the incident beam, somewhat stronger than the mean
    pattern because the object absorbs; with Scan.truth it predicts the patterns exactly.

    Returns:
        Scan in counts: uint16 or larger with noise, float32 expected counts without.

    Raises:
        ConfigError: Settings that contradict each other; see `make_probe`, `detector_mask`.
    """
    experiment = prepare(settings)
    return scan_of(settings, experiment, np.concatenate(list(pattern_batches(experiment))))


def scan_of(settings: SimulationConfig, experiment: Experiment, patterns: Patterns) -> Scan:
    """Return the scan that an experiment and its patterns make.

    Args:
        settings: What the experiment was made from.
        experiment: Everything but the patterns.
        patterns: (K, N, N) counts, in memory or made as they are read.
    """
    return Scan(
        patterns=patterns,
        positions_px=experiment.positions_px,
        probe=experiment.probe,
        mask=experiment.mask,
        canvas_shape=(experiment.truth.shape[0], experiment.truth.shape[1]),
        truth=experiment.truth,
        name=f"simulated {settings.object}",
        decisions=(_summary(settings, experiment),),
    )


def prepare(settings: SimulationConfig) -> Experiment:
    """Make object, probe, positions and mask, each from a random stream of its own.

    A setting of one part therefore leaves the others as they are, for instance the object when
    the photon number changes.
    """
    seeds = np.random.SeedSequence(settings.seed).spawn(5)
    object_rng, probe_rng, positions_rng, mask_rng = map(np.random.default_rng, seeds[:4])
    positions, canvas_shape = make_positions(settings, positions_rng)
    experiment = Experiment(
        truth=make_object(canvas_shape, object_rng, settings),
        probe=make_probe(settings, probe_rng),
        positions_px=positions,
        mask=detector_mask(settings, mask_rng),
        noise_seed=seeds[4] if settings.noise else None,
    )
    return experiment._replace(probe=_dosed(experiment, settings.photons))


def _dosed(experiment: Experiment, photons: float) -> np.ndarray:
    """Scale the probe so that the mean pattern has this many expected counts."""
    count = len(experiment.positions_px)
    sample = np.unique(np.linspace(0, count - 1, min(count, DOSE_PATTERNS)).astype(int))
    subset = experiment._replace(positions_px=experiment.positions_px[sample])
    found = sum(float(rates.sum(dtype=np.float64)) for rates in _rate_batches(subset)) / len(sample)
    return (experiment.probe * np.sqrt(photons / found)).astype(np.complex64)


def pattern_batches(experiment: Experiment) -> Iterator[np.ndarray]:
    """Yield the patterns in the order of the positions, a batch at a time, in bounded memory.

    Yields:
        (C, N, N) counts, 0 at masked pixels; unsigned integers as small as the batch allows with
        noise, float32 without.
    """
    noisy = experiment.noise_seed is not None
    rng = np.random.default_rng(experiment.noise_seed)
    for rates in _rate_batches(experiment):
        counts = poisson_counts(rates, rng) if noisy else rates
        yield np.where(experiment.mask, counts, counts.dtype.type(0))


def _rate_batches(experiment: Experiment) -> Iterator[np.ndarray]:
    """Yield expected counts of all patterns, (C, N, N) float32."""
    size = max(1, BATCH_PIXELS // experiment.probe.size)
    for start in range(0, len(experiment.positions_px), size):
        positions = experiment.positions_px[start : start + size]
        yield expected_counts(experiment.truth, experiment.probe, positions)


def expected_counts(image: np.ndarray, probe: np.ndarray, positions_px: np.ndarray) -> np.ndarray:
    """Return the expected counts of patterns, through `physics.diffraction.predict_counts`.

    Args:
        image: (H, W) complex64 object.
        probe: (P, N, N) complex64, sqrt(photons) per pixel.
        positions_px: (C, 2) float64 (y, x) of the windows' centre pixels (index N // 2).

    Returns:
        (C, N, N) float32 photons, zero frequency at (N // 2, N // 2).
    """
    n = probe.shape[-1]
    whole = np.floor(positions_px)
    batch = PatternBatch(
        counts=torch.empty(0),
        corners=torch.from_numpy(whole.astype(np.int64) - n // 2)[None],
        fractions=torch.from_numpy(positions_px - whole)[None],
        probe=torch.from_numpy(probe),
        mask=torch.ones(n, n),
        canvas_shape=(image.shape[0], image.shape[1]),
    )
    with torch.inference_mode():
        return predict_counts(torch.from_numpy(image)[None], batch)[0].numpy()


def _summary(settings: SimulationConfig, experiment: Experiment) -> str:
    """Say what dose and overlap came out."""
    diameter = settings.probe_size * settings.n
    overlap = max(0.0, 1 - settings.step_px / diameter)
    height, width = experiment.truth.shape
    return (
        f"simulated {settings.patterns} patterns of {settings.photons:.3g} photons on average "
        f"(incident {float(np.sum(np.abs(experiment.probe) ** 2)):.3g}) on a {height} x {width} "
        f"canvas; neighbours {settings.step_px:g} px apart, spot {diameter:.1f} px wide (90 % of "
        f"its light), linear overlap {overlap:.0%}"
    )
