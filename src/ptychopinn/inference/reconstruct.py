"""Reconstruction of a scan by a trained bundle, or by a generator that needs no training."""

import logging
import time
from dataclasses import replace
from typing import Any

import numpy as np

from ptychopinn.bundle import (
    Bundle,
    load_pretrained,
    package_versions,
    shipped_generators,
    trained_ranges,
)
from ptychopinn.config import Config
from ptychopinn.data import (
    DescriptorRanges,
    MeasuredScan,
    describe_scan,
    normalise,
)
from ptychopinn.device import automatic_batch_size, cache_bytes, resolve_device, use_threads
from ptychopinn.errors import BundleError
from ptychopinn.generators import registration
from ptychopinn.inference.batching import halve_until_it_fits, keep_freed_memory
from ptychopinn.inference.checks import HalvesCheck, check_halves
from ptychopinn.inference.identity import weights_digest
from ptychopinn.inference.reconstruction_model import ReconstructionModel
from ptychopinn.inference.trained_positions import with_trained_positions
from ptychopinn.inference.trust import Trust, assess, not_checked
from ptychopinn.inference.uncertainty import estimate_uncertainty
from ptychopinn.inference.whole_canvas import Progress, canvas_bytes, whole_canvas
from ptychopinn.processes import current
from ptychopinn.refinement import RefinedScan, refine, sweeps_of, wants_refinement
from ptychopinn.scan import Reconstruction, Scan

_LOG = logging.getLogger(__name__)

#: Sweeps after which long wavelengths stand still.
SETTLED_STAGES = 60


def reconstruct(
    scan: Scan,
    bundle: Bundle | None = None,
    config: Config | None = None,
    *,
    on_progress: Progress | None = None,
) -> Reconstruction:
    """Reconstruct a whole scan.

    Args:
        scan: What was measured; its own probe is used, or what a refinement makes of it, and its
            own positions, or what the training of the bundle refined the very same to.
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
    config = _settled(config or (bundle.config if bundle else Config()))
    started = time.monotonic()
    use_threads(config.inference.threads)
    if bundle is None and config.generator.name in shipped_generators():
        bundle = load_pretrained(config.generator)
    if bundle is None:
        model = ReconstructionModel.untrained(config, scan.n)
    else:
        _require_same_size(bundle, scan)
        model = ReconstructionModel.from_bundle(bundle, config)
    given = scan
    scan = with_trained_positions(scan, bundle, model.config.refinement)
    measured = normalise(scan, model.config.physics)
    refined = _refined(measured.scan, model, on_progress)
    measured = replace(measured, scan=refined.scan)
    canvas, illumination = whole_canvas(measured.scan, model, "reconstruct", on_progress)
    seconds = time.monotonic() - started
    _LOG.debug("%d patterns in %.2f s", scan.n_patterns, seconds)
    provenance = _provenance(scan, model, seconds, measured.pattern_counts)
    if refined.figures:
        provenance["refinement"] = refined.figures
    checked, trust = _judged(measured, model, trained_ranges(bundle), on_progress)
    if checked is not None:
        provenance["seconds_of_checks"] = round(time.monotonic() - started - seconds, 3)
    provenance["trust"] = trust.to_dict()
    start_positions = refined.start_positions_px
    if scan is not given:
        start_positions = given.positions_px
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
        quality=checked.quality if checked else {},
        start_probe=refined.start_probe,
        start_positions_px=start_positions,
        amplitude_std=deviations.amplitude_std if deviations else None,
        phase_std=deviations.phase_std if deviations else None,
        pattern_fit=checked.pattern_fit if checked else None,
        half_data_frc=checked.ring_correlation if checked else None,
    )


def _settled(config: Config) -> Config:
    """Return the settings with enough sweeps for what was asked.

    Standard deviations compare a reconstruction with its repetition: what too few sweeps leave at
    long wavelengths is missing from both, and does not show.
    """
    settings = config.inference
    if not settings.uncertainty or settings.stages:
        return config
    _LOG.info("%d sweeps, since standard deviations are asked for", SETTLED_STAGES)
    return replace(config, inference=replace(settings, stages=SETTLED_STAGES))


def _judged(
    measured: MeasuredScan,
    model: ReconstructionModel,
    ranges: DescriptorRanges | None,
    on_progress: Progress | None,
) -> tuple[HalvesCheck | None, Trust]:
    """Return what two halves of the data say, and the verdict or why there is none."""
    settings, scan = model.config.inference, measured.scan
    if not settings.checks:
        return None, not_checked(
            "the checks are off", "reconstruct without --checks false to get a verdict"
        )
    least = 2 * model.least_patterns
    if scan.fewest_patterns < least:
        return None, not_checked(
            f"{scan.fewest_patterns} patterns are too few to judge one half by the other",
            f"with {model.name} {least} patterns or more get a verdict",
        )
    checked = check_halves(
        scan,
        lambda half, what: whole_canvas(half, model, what, on_progress),
        resolve_device(settings.device),
        current(),
    )
    trust = assess(checked.quality, describe_scan(scan, measured.pattern_counts), ranges)
    if trust.score is not None:
        figures = {**checked.quality, "trust_score": trust.score}
        checked = checked._replace(quality=figures)
    return checked, trust


def _refined(scan: Scan, model: ReconstructionModel, on_progress: Progress | None) -> RefinedScan:
    """Refine probe and positions as the settings say; a scan that needs none comes back."""
    wanted, settings = model.config.refinement, model.config.inference
    if not wants_refinement(wanted):
        return RefinedScan(scan)
    device = resolve_device(settings.device)
    keep_freed_memory()
    modes = max(scan.n_modes, wanted.probe_modes or 1)
    total = sweeps_of(wanted) * len(current().share(np.arange(scan.n_patterns)))

    def report(done: int) -> None:
        if on_progress is not None:
            on_progress("refine", done, total)

    def work(batch_size: int) -> RefinedScan:
        return refine(
            scan,
            wanted,
            device=device,
            batch_size=batch_size,
            cache_bytes=cache_bytes(settings.cache_mb, device, canvas_bytes(scan.canvas_shape)),
            on_progress=report,
            processes=current(),
        )

    size = settings.batch_size or automatic_batch_size(scan.n, modes, device)
    # One of several processes must not take other steps than the others.
    return work(size) if current().count > 1 else halve_until_it_fits(work, size)


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
        "weights_sha256": weights_digest(model.generator),
        "versions": package_versions(),
    }
