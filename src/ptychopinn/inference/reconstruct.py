"""Reconstruction of a scan by a trained bundle, or by a generator that needs no training."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ptychopinn.bundle import Bundle, load_pretrained, package_versions, shipped_generators
from ptychopinn.config import Config
from ptychopinn.data import (
    DescriptorRanges,
    GroupDataset,
    MeasuredScan,
    collate_groups,
    describe_scan,
    group_patterns,
    normalise,
)
from ptychopinn.device import automatic_batch_size, resolve_device, use_threads
from ptychopinn.errors import BundleError, ConfigError
from ptychopinn.generators import (
    CanvasGenerator,
    Generator,
    GeneratorSize,
    PatchGenerator,
    build_generator,
    registration,
)
from ptychopinn.inference.batching import halve_until_it_fits, keep_freed_memory
from ptychopinn.inference.checks import check_halves
from ptychopinn.inference.scan_view import ScanView
from ptychopinn.inference.trust import Trust, assess, trained_ranges
from ptychopinn.inference.uncertainty import estimate_uncertainty
from ptychopinn.physics.gauge import remove_global_phase
from ptychopinn.physics.view import BatchView
from ptychopinn.reassembly import DARK, PatchSum, in_window_frame
from ptychopinn.refinement import RefinedScan, refine, sweeps_of, wants_refinement
from ptychopinn.scan import Reconstruction, Scan

_LOG = logging.getLogger(__name__)

#: Called with (what, patterns done since the last call, patterns in all).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ReconstructionModel:
    """A generator ready to reconstruct scans, with the settings that it works under."""

    generator: Generator
    """In evaluation mode."""
    config: Config
    """Its `inference` section rules batch size, stages, cache and device."""
    group_size: int
    """Patterns in a group of a patch generator."""
    name: str
    """For provenance."""
    losses: np.ndarray
    """(E,) training loss of every epoch; empty when it was not trained."""

    @property
    def least_patterns(self) -> int:
        """Patterns that a reconstruction wants: a whole group, or two that overlap."""
        return 2 if isinstance(self.generator, CanvasGenerator) else max(2, self.group_size)

    @classmethod
    def from_bundle(cls, bundle: Bundle, config: Config) -> "ReconstructionModel":
        """Take a trained generator, under the inference settings of ``config``."""
        losses = [row["train_loss"] for row in bundle.history if row["train_loss"] is not None]
        settled = replace(bundle.config, inference=config.inference, refinement=config.refinement)
        return cls(
            bundle.generator,
            settled,
            bundle.size.group_size,
            bundle.config.generator.name,
            np.asarray(losses, dtype=np.float64),
        )

    @classmethod
    def untrained(cls, config: Config, n: int) -> "ReconstructionModel":
        """Build a generator that has nothing to learn.

        Raises:
            ConfigError: The generator needs training.
        """
        name = config.generator.name
        known = registration(name)
        if known.steps:
            raise ConfigError(
                f"generator '{name}' wants trained weights; give --bundle FILE "
                f"(ptychopinn train SCAN --generator {name} makes one), or leave out --generator."
            )
        generator = build_generator(config.generator, GeneratorSize(n, known.group_size))
        return cls(generator.eval(), config, known.group_size, name, np.empty(0))


def reconstruct(
    scan: Scan,
    bundle: Bundle | None = None,
    config: Config | None = None,
    *,
    on_progress: Progress | None = None,
) -> Reconstruction:
    """Reconstruct a whole scan.

    Args:
        scan: What was measured; its own probe is used, or what a refinement makes of it.
        bundle: A trained model; None = the generator of ``config``, with the weights that come
            with the package, or without any if it needs none.
        config: Settings; of a bundle only inference and refinement are replaced by it.
        on_progress: Called as patterns are done.

    Returns:
        The object on the canvas of the scan's positions, with coverage and figures that need no
        truth (`checks`).

    Raises:
        ConfigError: The generator needs a bundle, or the device is not there.
        BundleError: The bundle was trained for another pattern size.
        DataError: The scan cannot be used.
    """
    config = config or (bundle.config if bundle else Config())
    started = time.monotonic()
    use_threads(config.inference.threads)
    if bundle is None and config.generator.name in shipped_generators():
        bundle = load_pretrained(config.generator)
    if bundle is None:
        model = ReconstructionModel.untrained(config, scan.n)
    else:
        _require_same_size(bundle, scan)
        model = ReconstructionModel.from_bundle(bundle, config)
    measured = normalise(scan, model.config.physics)
    refined = _refined(measured.scan, model, on_progress)
    measured = replace(measured, scan=refined.scan)
    canvas, illumination = whole_canvas(measured.scan, model, "reconstruct", on_progress)
    seconds = time.monotonic() - started
    _LOG.debug("%d patterns in %.2f s", scan.n_patterns, seconds)
    provenance = _provenance(scan, model, seconds, measured.pattern_counts)
    if refined.figures:
        provenance["refinement"] = refined.figures
    quality, trust = _judged(measured, model, trained_ranges(bundle), on_progress)
    if trust is not None:
        provenance["trust"] = trust.to_dict()
    deviations = None
    if config.inference.uncertainty:
        deviations = estimate_uncertainty(
            measured.scan,
            canvas,
            illumination,
            lambda again, what: whole_canvas(again, model, what, on_progress),
            resolve_device(config.inference.device),
        )
    return Reconstruction(
        object=canvas,
        coverage=(illumination / illumination.max()).astype(np.float32),
        probe=measured.scan.probe,
        positions_px=measured.scan.positions_px,
        losses=model.losses,
        pixel_size_m=scan.pixel_size_m,
        wavelength_m=scan.wavelength_m,
        provenance=provenance,
        quality=quality,
        start_probe=refined.start_probe,
        start_positions_px=refined.start_positions_px,
        amplitude_std=deviations.amplitude_std if deviations else None,
        phase_std=deviations.phase_std if deviations else None,
    )


def _judged(
    measured: MeasuredScan,
    model: ReconstructionModel,
    ranges: DescriptorRanges | None,
    on_progress: Progress | None,
) -> tuple[dict[str, float], Trust | None]:
    """Return what two halves of the data say, and the verdict; nothing where checks are off."""
    settings, scan = model.config.inference, measured.scan
    if not settings.checks or scan.n_patterns < 2 * model.least_patterns:
        return {}, None
    quality = check_halves(
        scan,
        lambda half, what: whole_canvas(half, model, what, on_progress),
        resolve_device(settings.device),
    )
    trust = assess(quality, describe_scan(scan, measured.pattern_counts), ranges)
    if trust is None:
        return quality, None
    return {**quality, "trust_score": trust.score}, trust


def _refined(scan: Scan, model: ReconstructionModel, on_progress: Progress | None) -> RefinedScan:
    """Refine probe and positions as the settings say; a scan that needs none comes back."""
    wanted, settings = model.config.refinement, model.config.inference
    if not wants_refinement(wanted):
        return RefinedScan(scan)
    device = resolve_device(settings.device)
    keep_freed_memory()
    modes = max(scan.n_modes, wanted.probe_modes or 1)
    total = sweeps_of(wanted) * scan.n_patterns

    def report(done: int) -> None:
        if on_progress is not None:
            on_progress("refine", done, total)

    def work(batch_size: int) -> RefinedScan:
        return refine(
            scan,
            wanted,
            device=device,
            batch_size=batch_size,
            cache_bytes=settings.cache_mb * 2**20,
            on_progress=report,
        )

    size = settings.batch_size or automatic_batch_size(scan.n, modes, device)
    return halve_until_it_fits(work, size)


def _require_same_size(bundle: Bundle, scan: Scan) -> None:
    if registration(bundle.config.generator.name).any_size or bundle.size.n == scan.n:
        return
    raise BundleError(
        f"{scan.name}: the patterns have {scan.n} x {scan.n} pixels, the bundle's "
        f"{bundle.config.generator.name} was trained on {bundle.size.n} x {bundle.size.n}; train "
        "on a scan of this size, or use generator unrolled, which takes any."
    )


def _provenance(
    scan: Scan, model: ReconstructionModel, seconds: float, pattern_counts: float
) -> dict[str, Any]:
    return {
        "generator": model.name,
        "scan": scan.name,
        "patterns": scan.n_patterns,
        "seconds": round(seconds, 3),
        "photons_per_pattern": pattern_counts,
        "decisions": list(scan.decisions),
        "versions": package_versions(),
    }


def whole_canvas(
    scan: Scan, model: ReconstructionModel, what: str, on_progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (H, W) complex64 object and (H, W) float32 illumination of a scan in the gauge.

    The global phase is removed; the object is 0 where no light fell.
    """
    settings = model.config.inference
    device = resolve_device(settings.device)
    generator = model.generator.to(device)
    keep_freed_memory()
    size = settings.batch_size or automatic_batch_size(scan.n, scan.n_modes, device)

    def work(batch_size: int) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode():
            if isinstance(generator, CanvasGenerator):
                return _sweep(scan, generator, model, batch_size, counted(sweeps(generator)))
            return _stitch(scan, generator, model, batch_size, counted(1))

    def sweeps(solver: CanvasGenerator) -> int:
        return settings.stages or solver.stages

    def counted(passes: int) -> Callable[[int], None] | None:
        if on_progress is None:
            return None
        return lambda done: on_progress(what, done, passes * scan.n_patterns)

    canvas, illumination = halve_until_it_fits(work, size)
    lit = illumination > DARK * illumination.max()
    image = torch.where(lit, canvas, torch.zeros_like(canvas))[0].cpu().numpy()
    weight = illumination[0].cpu().numpy()
    return remove_global_phase(image, weight).astype(np.complex64), weight


def _sweep(
    scan: Scan,
    generator: CanvasGenerator,
    model: ReconstructionModel,
    batch_size: int,
    on_batch: Callable[[int], None] | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Whole-scan sweeps of a canvas generator."""
    settings = model.config.inference
    device = resolve_device(settings.device)
    cache = settings.cache_mb * 2**20
    view = ScanView(scan, batch_size, device, cache, generator.subsets, on_batch)
    return generator(view, settings.stages), view.illumination


def _stitch(
    scan: Scan,
    generator: PatchGenerator,
    model: ReconstructionModel,
    batch_size: int,
    on_batch: Callable[[int], None] | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches of every group, placed with the illumination as weight."""
    device = resolve_device(model.config.inference.device)
    size = model.group_size
    rng = np.random.default_rng(0)
    groups = group_patterns(scan.positions_px, size, scan.n_patterns, rng=rng)
    dataset = GroupDataset(scan, groups)
    collate = collate_groups(dataset)
    total = PatchSum(scan.canvas_shape, torch.empty(0, device=device))
    step = max(1, batch_size // size)
    for start in range(0, len(dataset), step):
        numbers = range(start, min(start + step, len(dataset)))
        batch = collate([dataset[number] for number in numbers]).on(device)
        view = BatchView(batch)
        patches = in_window_frame(generator(view), batch.fractions, generator.frame)
        corners = np.floor(scan.positions_px[groups.indices[list(numbers)]]) - scan.n // 2
        where = torch.from_numpy(corners.astype(np.int64)).reshape(1, -1, 2).to(device)
        total.add(patches.flatten(0, 1)[None], view.weight.flatten(0, 1)[None], where)
        if on_batch:
            on_batch(len(numbers))
    return total.merged(), total.illumination
