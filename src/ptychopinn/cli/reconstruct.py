"""``ptychopinn reconstruct``."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jsonargparse import Namespace

from ptychopinn.bundle import Bundle, load_bundle, load_pretrained, shipped_generators
from ptychopinn.cli.check import checked
from ptychopinn.cli.earlier_work import fingerprint_of, holds_whole_result
from ptychopinn.cli.folder import write_result
from ptychopinn.cli.many_scans import folders_for, go_through
from ptychopinn.cli.progress import reconstruction_progress
from ptychopinn.config import Config, DataConfig
from ptychopinn.errors import REFUSED, BundleError, ConfigError
from ptychopinn.inference import reconstruct
from ptychopinn.inference.reconstruction_model import require_nothing_to_learn
from ptychopinn.io import read_scan
from ptychopinn.io.atomic import require_folder_place
from ptychopinn.physics.fused import load_kernels
from ptychopinn.processes import current, looking_together
from ptychopinn.scan import Reconstruction, Scan

#: Stands for the probe of the bundle, in place of a file.
OF_BUNDLE = "bundle"
#: What to do about a verdict.
REMEDIES = {
    "fine-tune for a minute": "ptychopinn train SCAN --init pretrained --max-seconds 60, then "
    "reconstruct with --bundle",
    "check the probe or the positions": "try --refine-probe true --refine-positions points; "
    "ptychopinn orient SCAN tells whether the detector is turned",
}


class _Job(NamedTuple):
    """What is the same for every scan."""

    bundle: Bundle | None
    """What ``--bundle`` names."""
    weights: Bundle | None
    """That, or the weights that come with the package; None = nothing was trained."""
    config: Config
    resume: bool
    """Keep results that are whole."""


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Reconstruct each scan and write its folder of results; exit code 2 when one is refused."""
    config = Config.from_dict(settings)
    folders = folders_for(parsed.scan, parsed.output)
    given = parsed.given.get("generator", {})
    bundle = load_bundle(parsed.bundle) if parsed.bundle else None
    if bundle is not None:
        _require_no_contradiction(bundle, given, "the bundle", "--bundle itself")
    weights = bundle
    if bundle is None:
        print(f"no --bundle was given: generator {config.generator.name}, {_source(config)}")
        if config.generator.name in shipped_generators():
            weights = load_pretrained(config.generator)
            _require_no_contradiction(
                weights, given, "the weights that come with the package", "train with it"
            )
    load_kernels()  # like other imports, no part of the time of a scan
    job = _Job(bundle, weights, config, parsed.resume)
    if len(folders) == 1:
        _reconstruct(parsed.scan[0], folders[0], job)
        return 0
    done = go_through(parsed.scan, folders, lambda scan, folder: _reconstruct(scan, folder, job))
    return REFUSED if any(one.failed for one in done) else 0


def _reconstruct(path: str, folder: Path, job: _Job) -> str:
    """Read, reconstruct, write and describe one scan; return what to think of its image."""
    require_folder_place(folder)
    wanted = fingerprint_of(path, job.config, job.weights)
    page = job.config.inference.report != "none"
    if job.resume and current().all_say(holds_whole_result(folder, wanted, page=page)):
        print(f"{folder}: holds the whole result of this scan with these settings; kept.")
        return "kept"
    started = time.monotonic()
    with looking_together(current()):
        scan = _read(path, job.config.data, job.bundle)
    loading = time.monotonic() - started
    result = reconstruct_and_write(
        scan, job.bundle, job.config, folder, weights=job.weights, fingerprint=wanted
    )
    seconds = result.provenance["seconds"]
    print(
        f"{scan.n_patterns} patterns: loaded in {loading:.2f} s, reconstructed and stitched in "
        f"{seconds:.2f} s ({scan.n_patterns / seconds:.0f} patterns/s)"
    )
    for line in describe_quality(result.quality):
        print(line)
    if result.phase_std is not None and result.amplitude_std is not None:
        amplitude, phase = (np.nanmedian(x) for x in (result.amplitude_std, result.phase_std))
        print(f"median standard deviation: amplitude {amplitude:.3g}, phase {phase:.3g} rad")
    print(f"results: {folder}")
    trust = result.provenance["trust"]
    print(describe_trust(trust))
    if trust["verdict"] in REMEDIES:
        print(f"next: {REMEDIES[trust['verdict']]}")
    score = trust["score"]
    return trust["verdict"] if score is None else f"{trust['verdict']} (trust {score:.2f})"


def _read(path: str, data: DataConfig, bundle: Bundle | None) -> Scan:
    """Read the scan, with the probe of the bundle where ``--probe bundle`` asks for it."""
    if data.probe != OF_BUNDLE:
        return read_scan(path, data)
    if bundle is None:
        raise ConfigError("data.probe: 'bundle' wants a bundle; add --bundle FILE.")
    scan = read_scan(path, replace(data, probe=None))
    if bundle.probe.shape[-1] != scan.n:
        raise BundleError(
            f"{scan.name}: the patterns have {scan.n} x {scan.n} pixels, the bundle's probe has "
            f"{bundle.probe.shape[-1]} x {bundle.probe.shape[-1]}; leave out --probe bundle."
        )
    said = "The probe is the one that the bundle was trained with, as --probe says."
    return replace(scan, probe=bundle.probe, decisions=(*scan.decisions, said))


def _source(config: Config) -> str:
    """Say where the weights come from when no bundle is given; refuse a generator without any."""
    if config.generator.name in shipped_generators():
        return "with the weights that come with the package"
    require_nothing_to_learn(config.generator.name)
    return "which needs no training"


def _require_no_contradiction(
    bundle: Bundle, given: dict[str, Any], what: str, remedy: str
) -> None:
    """Refuse generator settings beside weights that have others.

    Args:
        bundle: The weights.
        given: What flags and ``--config`` say of the generator; defaults contradict nothing.
        what: The weights in words.
        remedy: What to do instead of leaving out the setting.
    """
    held = dict(_leaves(bundle.config.generator.to_dict()))
    for name, value in _leaves(given):
        if value != held[name]:
            raise ConfigError(
                f"generator.{name}: found {value}, wanted {held[name]} beside {what} of "
                f"'{bundle.config.generator.name}'; leave out that setting, or {remedy}."
            )


def _leaves(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted name and value of every setting."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def reconstruct_and_write(
    scan: Scan,
    bundle: Bundle | None,
    config: Config,
    folder: str | Path,
    *,
    weights: Bundle | None = None,
    fingerprint: str | None = None,
) -> Reconstruction:
    """Reconstruct with progress on the terminal, and write the folder of results.

    Args:
        scan: What was measured.
        bundle: What was trained for it.
        config: Settings.
        folder: Where the results go.
        weights: Of the package, where they are loaded already.
        fingerprint: Kept with the result, to tell it from others.
    """
    checks = checked(scan)
    with reconstruction_progress() as report:
        result = reconstruct(scan, bundle or weights, config, on_progress=report)
    result = replace(result, provenance={**result.provenance, "checks": checks})
    if fingerprint is not None:
        result = replace(result, provenance={**result.provenance, "fingerprint": fingerprint})
    used = _used(config, bundle or weights)
    write_result(folder, result, bundle.history if bundle else [], used, scan)
    return result


def _used(config: Config, weights: Bundle | None) -> Config:
    """Return the settings that ruled: generator and physics are those of the weights."""
    if weights is None:
        return config
    trained = weights.config
    return replace(
        config, generator=trained.generator, physics=trained.physics, training=trained.training
    )


def describe_trust(trust: dict[str, Any]) -> str:
    """Return the one line that says what to do, or why nothing can be said."""
    reasons = "; ".join(trust["reasons"])
    score = "" if trust["score"] is None else f"trust {trust['score']:.2f}: "
    return f"verdict: {trust['verdict']} ({score}{reasons})"


def describe_quality(quality: dict[str, float]) -> list[str]:
    """Return the figures that need no truth as sentences."""
    lines = []
    if "held_out_excess_deviance" in quality:
        value = quality["held_out_excess_deviance"]
        lines.append(
            f"deviance on held-out patterns: {value:.3f} per pixel (about 1 is photon noise)"
        )
    if "held_out_deviance_ratio" in quality:
        lines.append(
            f"that is {quality['held_out_deviance_ratio']:.2f} times what photon noise alone "
            f"leaves; amplitudes are off by {quality['held_out_misfit']:.1%} beyond it"
        )
    if "half_data_frc_crossing" in quality:
        value = quality["half_data_frc_crossing"]
        lines.append(f"the two halves of the data agree up to {value:.3f} cycles/pixel (half-bit)")
    return lines
