"""``ptychopinn reconstruct``."""

import time
from typing import Any

from jsonargparse import Namespace

from ptychopinn.bundle import Bundle, load_bundle
from ptychopinn.cli.commands import RECONSTRUCT
from ptychopinn.cli.folder import write_result
from ptychopinn.cli.progress import reconstruction_progress
from ptychopinn.config import Config
from ptychopinn.errors import ConfigError
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan
from ptychopinn.scan import Reconstruction, Scan


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Reconstruct a scan and write the folder of results."""
    started = time.monotonic()
    config = Config.from_dict(settings)
    bundle = load_bundle(parsed.bundle) if parsed.bundle else None
    if bundle is not None:
        _require_no_contradiction(bundle, config)
    scan = read_scan(parsed.scan, config.data)
    if bundle is None:
        print(f"no --bundle was given: generator {config.generator.name}, which needs no training")
    loading = time.monotonic() - started
    result = reconstruct_and_write(scan, bundle, config, parsed.output)
    seconds = result.provenance["seconds"]
    print(
        f"{scan.n_patterns} patterns: loaded in {loading:.2f} s, reconstructed and stitched in "
        f"{seconds:.2f} s ({scan.n_patterns / seconds:.0f} patterns/s)"
    )
    for line in describe_quality(result.quality):
        print(line)
    print(f"results: {parsed.output}")
    return 0


def _require_no_contradiction(bundle: Bundle, config: Config) -> None:
    """Refuse generator settings beside a bundle: the bundle has its own."""
    if config.generator not in (RECONSTRUCT.sections["generator"], bundle.config.generator):
        raise ConfigError(
            f"generator '{config.generator.name}' was asked for beside a bundle that holds "
            f"'{bundle.config.generator.name}' with settings of its own; leave out either "
            "--bundle or the generator's flags."
        )


def reconstruct_and_write(
    scan: Scan, bundle: Bundle | None, config: Config, folder: str
) -> Reconstruction:
    """Reconstruct with progress on the terminal, and write the folder of results."""
    with reconstruction_progress() as report:
        result = reconstruct(scan, bundle, config, on_progress=report)
    used = config if bundle is None else bundle.config
    write_result(folder, result, bundle.history if bundle else [], used)
    return result


def describe_quality(quality: dict[str, float]) -> list[str]:
    """Return the figures that need no truth as sentences."""
    lines = []
    if "held_out_excess_deviance" in quality:
        value = quality["held_out_excess_deviance"]
        lines.append(
            f"deviance on held-out patterns: {value:.3f} per pixel (about 1 is photon noise)"
        )
    if "half_data_frc_crossing" in quality:
        value = quality["half_data_frc_crossing"]
        lines.append(f"the two halves of the data agree up to {value:.3f} cycles/pixel (half-bit)")
    return lines
