"""Time and peak memory of one whole-scan reconstruction, reading and stitching included.

Usage: python -m benchmarks.whole_scan SCAN.npz
"""

import json
import sys
import threading
import time
from pathlib import Path

import torch

from ptychopinn.bundle import load_pretrained
from ptychopinn.config import Config, DataConfig, InferenceConfig
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan


class MemoryWatch(threading.Thread):
    """Follows the memory of this process that is not a mapped file, in MiB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_mib = self.peak_mib = self._now()

    @staticmethod
    def _now() -> float:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

    def run(self) -> None:
        """Look every five milliseconds."""
        while True:
            self.peak_mib = max(self.peak_mib, self._now())
            time.sleep(0.005)


def main(path: str) -> None:
    """Reconstruct with the weights in the box and print the figures as JSON."""
    config = Config(inference=InferenceConfig(checks=False))
    torch.fft.fft2(torch.ones(8, 8, dtype=torch.complex64))
    load_pretrained(config.generator)
    watch = MemoryWatch()
    watch.start()
    started = time.perf_counter()
    scan = read_scan(path, DataConfig())
    result = reconstruct(scan, None, config)
    seconds = time.perf_counter() - started
    figures = {
        "patterns": scan.n_patterns,
        "seconds": seconds,
        "memory_mib": watch.peak_mib - watch.start_mib,
        "data_mib": scan.patterns.nbytes / 2**20,
        "canvas": list(result.object.shape),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1])
