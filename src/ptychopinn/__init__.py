"""Ptychographic reconstruction by networks that train themselves on physics.

Two nouns, `Scan` and `Reconstruction`, and three verbs:

    scan = ptychopinn.read_scan("scan.npz")
    bundle = ptychopinn.train(scan)
    result = ptychopinn.reconstruct(scan, bundle)
    figures = ptychopinn.compare(result.object, truth)

Names are imported when they are first used, so that ``import ptychopinn`` stays light.
"""

import importlib
import os
from typing import Any

# Threads that wait for work must not spin for long: they take the cores from those that work (a
# sweep by two threads then takes 1.5 times as long, and several times as long on a busy machine).
# Nor may they sleep at once: a training, whose operations follow each other within microseconds,
# then takes 1.8 times as long. Read once, by the OpenMP library when torch is imported; what the
# environment already says stays.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

_HOMES = {
    "Bundle": "ptychopinn.bundle",
    "Config": "ptychopinn.config",
    "Reconstruction": "ptychopinn.scan",
    "Scan": "ptychopinn.scan",
    "SimulationConfig": "ptychopinn.config",
    "compare": "ptychopinn.evaluation",
    "load_bundle": "ptychopinn.bundle",
    "read_product": "ptychopinn.io",
    "read_reference": "ptychopinn.io",
    "read_scan": "ptychopinn.io",
    "reconstruct": "ptychopinn.inference",
    "save_bundle": "ptychopinn.bundle",
    "simulate": "ptychopinn.simulation",
    "train": "ptychopinn.training",
    "write_product": "ptychopinn.io",
    "write_scan_npz": "ptychopinn.io",
}


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ptychopinn' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
