"""A reconstruction that an iterative solver went on with, as a reconstruction again."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ptychopinn.bundle import package_versions
from ptychopinn.config import IterativeConfig
from ptychopinn.device import automatic_batch_size, resolve_device
from ptychopinn.errors import DataError
from ptychopinn.iterative.engines import solve
from ptychopinn.iterative.records import GoneOn, Solution, Start, Watch
from ptychopinn.physics.canvas import place_patches
from ptychopinn.physics.fourier import intensity
from ptychopinn.physics.gauge import remove_global_phase
from ptychopinn.physics.modes import require_modes
from ptychopinn.physics.probe import probes_at
from ptychopinn.physics.refinement import with_more_modes
from ptychopinn.reassembly import DARK
from ptychopinn.scan import Reconstruction, Scan

#: Share of the power that each added mode starts with.
NEW_MODE_SHARE = 0.02


def go_on(
    scan: Scan, made: Reconstruction, settings: IterativeConfig, watch: Watch | None = None
) -> GoneOn:
    """Hand an image, its probe and its positions to an iterative solver, and take them back.

    Args:
        scan: What was measured, in any gauge; the patterns that the image was made from, in the
            same order. Its probe and its positions are not used.
        made: The image.
        settings: Engine, epochs, what is refined.
        watch: Called after every epoch.

    Raises:
        DataError: The image is not of this scan.
        ConfigError: The engine cannot do what is asked, or is not installed.
        TrainingError: The engine left the image worse, or not finite.

    Tested: tests/iterative/test_result.py.
    """
    start = starting_from(scan, made, settings)
    found = solve(start, settings, watch)
    _require_finite(scan, settings, found)
    settled = replace(start.scan, probe=found.probe, positions_px=found.positions_px)
    light = illumination(settled, resolve_device(settings.device))
    image = np.where(light > DARK * light.max(), found.object, np.complex64(0))
    losses = [epoch.loss for epoch in found.epochs if epoch.loss is not None]
    after = Reconstruction(
        object=remove_global_phase(image, light).astype(np.complex64),
        coverage=(light / light.max()).astype(np.float32),
        probe=found.probe,
        positions_px=found.positions_px,
        losses=np.array(losses, dtype=np.float64),
        pixel_size_m=made.pixel_size_m,
        wavelength_m=made.wavelength_m,
        provenance=_provenance(scan, made, settings, found),
        start_probe=made.probe if settings.refine_probe else None,
        start_positions_px=made.positions_px if settings.refine_positions != "none" else None,
    )
    return GoneOn(after, found.epochs)


def starting_from(scan: Scan, made: Reconstruction, settings: IterativeConfig) -> Start:
    """Return where a solver starts: the scan with probe, positions and canvas of an image.

    Where no light fell, the image is 0; there the solver is given 1, empty space.

    Raises:
        DataError: Another number or another size of patterns.
        ConfigError: Modes are asked for that make no sense.
    """
    if made.positions_px.shape != scan.positions_px.shape or made.probe.shape[-1] != scan.n:
        raise DataError(
            f"{scan.name}: found {scan.n_patterns} patterns of {scan.n} x {scan.n} pixels, wanted "
            f"the {len(made.positions_px)} of {made.probe.shape[-1]} x {made.probe.shape[-1]} that "
            "the image was made from; name its scan with --scan FILE."
        )
    probe = torch.from_numpy(np.ascontiguousarray(made.probe, dtype=np.complex64))
    count = settings.probe_modes or len(probe)
    if settings.probe_modes is not None:
        require_modes(
            *("iterative.probe_modes", count, scan.n),
            "give another number, or leave out --probe-modes",
            least=len(probe),
        )
    added = count - len(probe)
    share = min(NEW_MODE_SHARE, 0.5 / max(added, 1))
    settled = replace(
        scan,
        probe=with_more_modes(probe, count, share).numpy() if added else probe.numpy(),
        positions_px=made.positions_px,
        canvas_shape=(made.object.shape[0], made.object.shape[1]),
        truth=None,
    )
    lit = np.where(made.object == 0, np.complex64(1), made.object)
    return Start(settled, lit.astype(np.complex64))


def illumination(scan: Scan, device: torch.device) -> np.ndarray:
    """Return sum_k place(sum_p |P_kp|^2), (H, W) float32 photons per pixel."""
    total = torch.zeros((1, *scan.canvas_shape), device=device)
    probe = torch.from_numpy(scan.probe).to(device)
    size = automatic_batch_size(scan.n, scan.n_modes, device)
    with torch.inference_mode():
        for places in np.array_split(scan.positions_px, -(-scan.n_patterns // size)):
            whole = np.floor(places)
            fractions = torch.from_numpy((places - whole).astype(np.float32)).to(device)
            corners = torch.from_numpy((whole - scan.n // 2).astype(np.int64)).to(device)
            light = intensity(probes_at(probe, fractions))
            place_patches(light[None], corners[None], scan.canvas_shape, out=total)
    return np.asarray(total[0].cpu().numpy())


def _require_finite(scan: Scan, settings: IterativeConfig, found: Solution) -> None:
    arrays = (found.object, found.probe, found.positions_px)
    if all(np.isfinite(array).all() for array in arrays):
        return
    raise DataError(
        f"{scan.name}: engine '{settings.engine}' diverged: found NaN or infinity after "
        f"{settings.epochs} epochs, wanted finite values; take a smaller --step or fewer --epochs."
    )


def _provenance(
    scan: Scan, made: Reconstruction, settings: IterativeConfig, found: Solution
) -> dict[str, Any]:
    before = made.provenance
    seconds = found.epochs[-1].seconds
    return {
        "generator": settings.engine,
        "scan": scan.name,
        "patterns": scan.n_patterns,
        "seconds": round(seconds, 3),
        "seconds_in_all": round(seconds + seconds_in_all(made), 3),
        "iterative": settings.to_dict(),
        "decisions": list(scan.decisions),
        "versions": {**package_versions(), **found.library},
        "started_from": {
            name: before[name]
            for name in ("generator", "seconds", "command", "started_from")
            if name in before
        },
    }


def seconds_in_all(made: Reconstruction) -> float:
    """Return the seconds of an image and of those that it was made from; 0 where unknown."""
    known = made.provenance
    return float(known.get("seconds_in_all", known.get("seconds", 0.0)))
