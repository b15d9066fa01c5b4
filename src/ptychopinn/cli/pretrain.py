"""``ptychopinn pretrain``."""

import logging
import sys
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from ptychopinn.cli.train import write_training
from ptychopinn.config import PretrainingConfig, UnrolledConfig
from ptychopinn.training import pretrain


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Train on synthetic scans and write the bundle with its history."""
    # Thousands of scans would each say how they were read.
    logging.getLogger("ptychopinn").setLevel(logging.WARNING)
    bundle = pretrain(
        PretrainingConfig.from_dict(settings["pretraining"]),
        UnrolledConfig.from_dict(settings["unrolled"]),
        parsed.output,
        resume=parsed.resume,
        progress=sys.stderr.isatty(),
    )
    place = write_training(Path(parsed.output), bundle)
    last = bundle.history[-1]
    print(
        f"{bundle.statistics['steps']} steps in {bundle.statistics['seconds']:.0f} s; logarithm of "
        f"the error on scans that were never trained on: {last['val_loss']:.3f}"
    )
    print(f"bundle: {place}\nnext: ptychopinn reconstruct SCAN --bundle {place}")
    return 0
