"""Time and peak memory of one whole-scan reconstruction or training, reading included.

Usage: python -m benchmarks.whole_scan SCAN.npz [--train]
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

import torch

from ptychopinn.bundle import load_pretrained
from ptychopinn.config import Config, DataConfig, InferenceConfig
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan
from ptychopinn.physics.fused import load_kernels
from ptychopinn.scan import Scan
from ptychopinn.training import train


def memory_mib(kind: str) -> float:
    """Return a figure of this process from the system: RssAnon, VmHWM (the largest ever), ..."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


class MemoryWatch(threading.Thread):
    """Follows the memory of this process that is not a mapped file, in MiB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_mib = self.peak_mib = memory_mib("RssAnon")

    def run(self) -> None:
        """Look every five milliseconds."""
        while True:
            self.peak_mib = max(self.peak_mib, memory_mib("RssAnon"))
            time.sleep(0.005)


def work(scan: Scan, config: Config, *, training: bool) -> None:
    """Reconstruct with the weights in the box, or train the default for its own number of steps."""
    if not training:
        reconstruct(scan, None, config)
        return
    with tempfile.TemporaryDirectory() as folder:
        train(scan, config, folder)


def main() -> None:
    """Do it once and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan")
    parser.add_argument("--train", action="store_true")
    options = parser.parse_args()
    config = Config(inference=InferenceConfig(checks=False))
    torch.fft.fft2(torch.ones(8, 8, dtype=torch.complex64))
    load_pretrained(config.generator)
    load_kernels()
    watch = MemoryWatch()
    watch.start()
    started = time.perf_counter()
    scan = read_scan(options.scan, DataConfig())
    loaded = time.perf_counter()
    work(scan, config, training=options.train)
    figures = {
        "patterns": scan.n_patterns,
        "seconds": time.perf_counter() - started,
        "loading_seconds": loaded - started,
        "memory_mib": watch.peak_mib - watch.start_mib,
        "resident_mib": memory_mib("VmHWM"),
        "data_mib": scan.patterns.nbytes / 2**20,
        "canvas": list(scan.canvas_shape),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
