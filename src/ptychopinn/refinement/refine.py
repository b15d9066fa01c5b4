"""The refinement of a scan: object, probe and positions in turns, from a flat object."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from ptychopinn.config import RefinementConfig
from ptychopinn.device import automatic_batch_size, own_threads
from ptychopinn.physics.modes import require_modes
from ptychopinn.physics.refinement import orthogonal_modes, recentred, with_more_modes
from ptychopinn.physics.subsets import most_subsets
from ptychopinn.processes import ALONE, Processes
from ptychopinn.refinement.patterns import PatternBatches
from ptychopinn.refinement.positions import Positions
from ptychopinn.refinement.records import RefinedScan
from ptychopinn.refinement.solver import JointSolver
from ptychopinn.scan import Scan

_LOG = logging.getLogger(__name__)

#: Sweeps when the settings give none: with the probe alone, and with positions.
PROBE_SWEEPS, POSITION_SWEEPS = 6, 64
#: Steps in a sweep.
SUBSETS = 8
#: A step with fewer patterns than this moves more by chance than by what they say.
LEAST_IN_SUBSET = 16
#: Share of the power that each added mode starts with.
NEW_MODE_SHARE = 0.02
#: Positions wait for this share of the sweeps, and for two at least: the object must show something
#: first. Stars with 2 px of error: 0.02 px rms after six of 48 sweeps, 0.09 after two.
POSITION_DELAY, LEAST_DELAY = 1 / 8, 2
#: For this share, two sweeps at least, they move all together before each moves by itself: single
#: moves would absorb a stage of the wrong scale, and lock it in. Stars of 600 patterns on a stage
#: that is 2 % off: 0.26 px rms are left after two sweeps together, 0.1 after four, 0.004 after six.
TOGETHER, LEAST_TOGETHER = 1 / 10, 2
#: Every so many sweeps positions and object are warped together,
TOGETHER_EVERY, WARP_EVERY = 2, 4
#: and badly explained patterns looked for elsewhere, but not in the last sweeps, which let the
#: rest settle.
SETTLING_SWEEPS = 4
#: A stage that drifts or bends is a polynomial of this degree of where it should be. Stars of 800
#: patterns, bent by 3 px: 0.3 px rms are left without warps, 0.06 to 0.14 with degree 1, 0.03 to
#: 0.13 with 3.
WARP_DEGREE = 3
#: A misfit this many times the best one in the end is a refinement that went astray.
_ASTRAY = 2.0


def wants_refinement(settings: RefinementConfig) -> bool:
    """Tell whether anything is to be refined."""
    return settings.refine_probe or settings.refine_positions != "none"


def sweeps_of(settings: RefinementConfig) -> int:
    """Return the sweeps over the patterns that a refinement takes."""
    automatic = PROBE_SWEEPS if settings.refine_positions == "none" else POSITION_SWEEPS
    return settings.refine_sweeps or automatic


@own_threads()
def refine(
    scan: Scan,
    settings: RefinementConfig,
    *,
    device: torch.device,
    start: np.ndarray | None = None,
    batch_size: int | None = None,
    cache_bytes: float = 2**28,
    on_progress: Callable[[int], None] | None = None,
    processes: Processes = ALONE,
) -> RefinedScan:
    """Make probe and positions of a scan agree with its patterns.

    Object and probe are solved for together (`JointSolver`). Positions follow: first all by one
    affine map, then each by itself within a bound; patterns that stay badly explained are looked
    for elsewhere (`Positions`). Modes that are asked for beyond those given start weak. In the
    end the modes are made orthogonal, and the probe gets the power that it came with.

    Args:
        scan: In the gauge of the package.
        settings: What is refined, and how far; what is not is frozen bit by bit.
        device: Where the work is done.
        start: (H, W) complex64 object to start from; None = flat, which is better than what a
            wrong probe made.
        batch_size: Patterns in a batch; None = automatic.
        cache_bytes: Memory for patterns that are kept.
        on_progress: Called with the number of patterns done since the last call.
        processes: Who shares the patterns; all return the same.

    Raises:
        ConfigError: Modes are asked for that make no sense.

    Cannot know: a common shift of positions against the object, a shift of probe and object, and
    a phase ramp of probe and object. The mean position stays as given; a probe whose centre was
    wrong may move the image by a few pixels, and the object keeps as little ramp as it can.
    """
    if settings.probe_modes is not None:
        require_modes(
            *("refinement.probe_modes", settings.probe_modes, scan.n),
            "give another number, or leave out --probe-modes",
            least=scan.n_modes,
        )
    began = time.monotonic()
    size = batch_size or automatic_batch_size(scan.n, settings.probe_modes or scan.n_modes, device)
    subsets = min(SUBSETS, most_subsets(max(2, 2 * scan.n_patterns // LEAST_IN_SUBSET)))
    batches = PatternBatches(scan, subsets, size, device, cache_bytes, processes)
    flat = np.ones(scan.canvas_shape, dtype=np.complex64)
    solver = JointSolver(
        scan, _start_probe(scan, settings), flat if start is None else start,
        batches, device, on_progress,
    )  # fmt: skip
    positions = Positions(solver, scan, settings.position_bound_px, subsets)
    misfits: list[float] = []
    sought = 0
    for sweep in range(sweeps_of(settings)):
        misfits.append(solver.sweep(subsets, refine_probe=settings.refine_probe))
        sought += _move_positions(positions, sweep, settings, size)
    if not misfits[-1] <= _ASTRAY * min(misfits):
        _LOG.warning(
            "%s: refinement went astray (misfit %.4g after %.4g); probe and positions are left as "
            "they were given; check them, or give a better probe.",
            scan.name, misfits[-1], min(misfits),
        )  # fmt: skip
        return RefinedScan(scan)
    refined = _result(scan, settings, solver)
    refined.figures.update(
        sweeps=len(misfits),
        seconds=round(time.monotonic() - began, 3),
        misfit_first_sweep=misfits[0],
        misfit_last_sweep=misfits[-1],
        patterns_found_elsewhere=sought,
    )
    _say(scan, refined)
    return refined


def _start_probe(scan: Scan, settings: RefinementConfig) -> np.ndarray:
    count = settings.probe_modes or scan.n_modes
    added = count - scan.n_modes
    share = min(NEW_MODE_SHARE, 0.5 / max(added, 1))
    return with_more_modes(torch.from_numpy(scan.probe), count, share).numpy()


def _move_positions(
    positions: Positions, sweep: int, settings: RefinementConfig, batch_size: int
) -> int:
    """Move positions after a sweep, as its number and the settings say; return those found."""
    kind = settings.refine_positions
    sweeps = sweeps_of(settings)
    moved = sweep - max(LEAST_DELAY, int(POSITION_DELAY * sweeps))
    if kind == "none" or moved < 0:
        return 0
    alone = moved - max(LEAST_TOGETHER, int(TOGETHER * sweeps))
    together = kind == "affine" or alone < 0
    if together:
        positions.step_affine()
    else:
        positions.step_points()
    if sweeps - sweep <= SETTLING_SWEEPS:
        positions.heed_all()
        return 0
    if moved % TOGETHER_EVERY if together else alone % WARP_EVERY or not alone:
        return 0
    positions.step_warp(degree=1 if kind == "affine" else WARP_DEGREE)
    return 0 if together else positions.seek(batch_size)


def _result(scan: Scan, settings: RefinementConfig, solver: JointSolver) -> RefinedScan:
    """Bring what was found into the gauge of the scan."""
    canvas = solver.canvas[0].cpu().numpy()
    refined = scan
    start_probe = start_positions = None
    figures: dict[str, float] = {}
    if settings.refine_probe:
        probe = orthogonal_modes(solver.probe).cpu().numpy()
        factor = np.float32(np.linalg.norm(scan.probe) / np.linalg.norm(probe))
        canvas = canvas / factor
        start_probe = scan.probe
        refined = replace(refined, probe=probe * factor)
        figures["probe_change"] = probe_change(scan.probe, refined.probe)
    if settings.refine_positions != "none":
        start_positions = scan.positions_px
        refined = replace(refined, positions_px=solver.positions_px)
        moved = np.linalg.norm(solver.positions_px - scan.positions_px, axis=1)
        figures["positions_moved_rms_px"] = float(np.sqrt((moved**2).mean()))
        figures["positions_moved_most_px"] = float(moved.max())
    return RefinedScan(refined, canvas, start_probe, start_positions, dict(figures))


def probe_change(before: np.ndarray, after: np.ndarray) -> float:
    """Return how much of two probes differs, whatever mixes their modes, shifts or ramps them.

        1 - tr(rho_before rho_after) / sqrt( tr(rho_before^2) tr(rho_after^2) )

    with rho the density matrices; 0 = the same, 1 = nothing in common.
    """
    given = torch.from_numpy(before).to(torch.complex128)
    centred = recentred(torch.from_numpy(after).to(torch.complex128), given)
    first, second = (modes.flatten(1).numpy() for modes in (given, centred))

    def overlap(a: np.ndarray, b: np.ndarray) -> float:
        return float((np.abs(a.conj() @ b.T) ** 2).sum())

    return 1 - overlap(first, second) / float(
        np.sqrt(overlap(first, first) * overlap(second, second))
    )


def _say(scan: Scan, refined: RefinedScan) -> None:
    figures = refined.figures
    parts = [f"misfit {figures['misfit_first_sweep']:.3g} to {figures['misfit_last_sweep']:.3g}"]
    if refined.start_probe is not None:
        parts.append(
            f"{100 * figures['probe_change']:.1f} % of the probe changed "
            f"({refined.scan.n_modes} modes)"
        )
    if refined.start_positions_px is not None:
        parts.append(
            f"positions moved by {figures['positions_moved_rms_px']:.2f} px rms, "
            f"{figures['positions_moved_most_px']:.2f} px at most"
        )
    _LOG.info("%s: refined in %.1f s: %s", scan.name, figures["seconds"], "; ".join(parts))
