"""Patterns a second of every stage of a reconstruction.

Usage: python -m benchmarks.stages SCAN.npz
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ptychopinn.config import DataConfig, PhysicsConfig, UnrolledConfig
from ptychopinn.data import group_patterns, normalise
from ptychopinn.device import own_threads
from ptychopinn.generators.canvas_network import CanvasNetwork
from ptychopinn.inference import ScanView, Streaming
from ptychopinn.io import read_scan, write_product
from ptychopinn.physics.canvas import place_patches
from ptychopinn.scan import Reconstruction

ROUNDS = 5


def seconds(work: Callable[[], object]) -> float:
    """Median time of a few runs after one that warms up."""
    times = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main(path: str) -> None:
    """Time every stage and print patterns a second as JSON."""
    scan = normalise(read_scan(path, DataConfig()), PhysicsConfig()).scan
    settings = UnrolledConfig()
    streaming = Streaming(32, torch.device("cpu"), cache_bytes=2**30)
    view = ScanView(scan, streaming)
    canvas = torch.ones_like(view.illumination) + 0j
    network = CanvasNetwork(6, settings.width, settings.depth)
    channels = torch.randn(1, 6, *scan.canvas_shape)
    whole = np.floor(scan.positions_px).astype(np.int64) - scan.n // 2
    corners = torch.from_numpy(whole)[None]
    patches = torch.ones(1, scan.n_patterns, scan.n, scan.n, dtype=torch.complex64)
    rng = np.random.default_rng(0)
    result = Reconstruction(
        object=canvas[0].numpy(),
        coverage=view.illumination[0].numpy(),
        probe=scan.probe,
        positions_px=scan.positions_px,
        losses=np.empty(0),
    )
    with torch.inference_mode(), own_threads(), tempfile.TemporaryDirectory() as folder:
        stages = {
            "read": lambda: read_scan(path, DataConfig()).counts(),
            "group (16 neighbours)": lambda: group_patterns(
                scan.positions_px, 16, scan.n_patterns, rng=rng
            ),
            "prepare (roots, probes, light)": lambda: ScanView(scan, streaming),
            "physics, one sweep": lambda: view.update(canvas),
            f"physics, {settings.stages} sweeps": lambda: [
                view.update(canvas) for _ in range(settings.stages)
            ],
            f"network, {settings.network_stages} passes": lambda: [
                network(channels) for _ in range(settings.network_stages)
            ],
            "place": lambda: place_patches(patches, corners, scan.canvas_shape),
            "write": lambda: write_product(Path(folder) / "a.h5", result),
        }
        speeds = {name: scan.n_patterns / seconds(work) for name, work in stages.items()}
    print(json.dumps(speeds))


if __name__ == "__main__":
    main(sys.argv[1])
