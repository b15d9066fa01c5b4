"""A simulated star whose positions and probe are wrong, put right while it is reconstructed."""

from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import (
    Config,
    GeneratorConfig,
    InferenceConfig,
    RefinementConfig,
    SimulationConfig,
    TrainingConfig,
)
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from ptychopinn.simulation import simulate
from ptychopinn.training import train

STAR = SimulationConfig(object="spokes", n=64, patterns=250, photons=1e6, defocus_rad=6.0)


def off_by(scan, defocus_rad, seed, sigma_px=2.0):
    """The star with some error in its positions (sigma), and a probe 10 % short of focus."""
    error = np.random.default_rng(seed).normal(0, sigma_px, scan.positions_px.shape)
    moved = scan.positions_px + error
    inside = np.clip(moved, scan.n // 2, np.array(scan.canvas_shape) - scan.n // 2)
    believed = simulate(replace(STAR, seed=seed, defocus_rad=defocus_rad)).probe
    return replace(scan, positions_px=inside, probe=believed)


def image_error(result, scan):
    weight = (result.coverage > 0.2).astype(float)
    return compare(result.object, scan.truth, weight).metrics.phase.rmse


def position_error(positions_px, scan):
    """Root mean square distance without a common shift, which nothing can tell."""
    left = positions_px - scan.positions_px
    return float(np.sqrt(np.mean(np.sum((left - left.mean(axis=0)) ** 2, axis=1))))


@pytest.mark.heavy
@pytest.mark.parametrize("generator", ["pie", "unrolled"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_positions_and_probe_off_together(seed, generator):
    """Wanted: positions to 0.2 px rms, the image within 10 % of the unperturbed one."""
    scan = simulate(replace(STAR, seed=seed))
    wrong = off_by(scan, 0.9 * STAR.defocus_rad, seed)
    quick = Config(
        generator=GeneratorConfig(name=generator), inference=InferenceConfig(checks=False)
    )
    mended = replace(
        quick,
        refinement=RefinementConfig(
            refine_probe=True, refine_positions="points", position_bound_px=10
        ),
    )
    right, ruined = (image_error(reconstruct(s, None, quick), scan) for s in (scan, wrong))
    result = reconstruct(wrong, None, mended)
    found = image_error(result, scan)
    left = position_error(result.positions_px, scan)
    print(  # noqa: T201
        f"{generator}, seed {seed}: positions {left:.3f} px rms, phase RMSE {found:.4f} rad, "
        f"unperturbed {right:.4f}, not refined {ruined:.4f}"
    )
    assert left < 0.03
    assert found < 1.15 * right
    assert ruined > 4 * found


@pytest.mark.heavy
def test_a_long_training_goes_on_where_few_sweeps_ended(tmp_path):
    """A row of the table in docs/decisions.md: 600 steps, twelve sweeps before them."""
    scan = simulate(replace(STAR, seed=1))
    wrong = off_by(scan, 0.9 * STAR.defocus_rad, 1, sigma_px=1.0)
    left, image = {}, {}
    for on in (False, True):
        refinement = RefinementConfig(
            refine_probe=True,
            refine_positions="points",
            refine_sweeps=12,
            refine_while_training=on,
        )
        training = TrainingConfig(max_steps=600, logger="none")
        config = Config(
            training=training, refinement=refinement, inference=InferenceConfig(checks=False)
        )
        bundle = train(wrong, config, tmp_path / str(on))
        left[on] = position_error(bundle.positions_px, scan)
        found = replace(wrong, probe=bundle.probe)
        result = reconstruct(found, bundle, replace(config, refinement=RefinementConfig()))
        image[on] = image_error(result, scan)
        print(f"{on}: positions {left[on]:.3f} px rms, phase RMSE {image[on]:.4f} rad")  # noqa: T201
    assert left[True] < 0.6 * left[False]
    assert image[True] < 0.8 * image[False]
