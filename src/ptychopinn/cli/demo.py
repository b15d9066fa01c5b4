"""``ptychopinn demo``."""

import sys
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from ptychopinn.cli.evaluate import record_comparison, well_covered
from ptychopinn.cli.page import page_again
from ptychopinn.cli.reconstruct import (
    describe_quality,
    describe_trust,
    reconstruct_and_write,
)
from ptychopinn.cli.train import summary, write_training
from ptychopinn.config import Config, SimulationConfig, TrainingConfig
from ptychopinn.evaluation import compare
from ptychopinn.io import write_scan_npz
from ptychopinn.report import draw_comparison
from ptychopinn.simulation import simulate
from ptychopinn.training import train

_SCAN = SimulationConfig()
_CONFIG = Config(training=TrainingConfig(max_steps=60, epoch_steps=20))


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Simulate, train, reconstruct, compare, and say where to look."""
    folder = Path(parsed.output)
    print("1/4 simulate a Siemens star")
    scan = simulate(_SCAN)
    if scan.truth is None:
        raise TypeError("a simulated scan has a truth")
    write_scan_npz(folder / "scan.npz", scan)
    print(f"2/4 train on its {scan.n_patterns} patterns, without the truth")
    bundle = train(scan, _CONFIG, folder, progress=sys.stderr.isatty())
    write_training(folder, bundle)
    print(f"    {summary(bundle)}")
    print("3/4 reconstruct")
    result = reconstruct_and_write(scan, bundle, _CONFIG, str(folder))
    seconds = result.provenance["seconds"]
    print(f"    {scan.n_patterns} patterns in {seconds:.2f} s")
    for line in describe_quality(result.quality):
        print(f"    {line}")
    print(f"    {describe_trust(result.provenance['trust'])}")
    print("4/4 compare with the truth")
    comparison = compare(result.object, scan.truth, weight=well_covered(result.coverage))
    record_comparison(folder, comparison, "simulated truth", "all")
    draw_comparison(result.object, scan.truth, result.coverage, folder / "comparison.png")
    page = page_again(folder)
    print(f"look at {page} (in a browser) and {folder / 'comparison.png'}; all files: {folder}")
    return 0
