"""Time and peak memory of one whole-scan reconstruction, reading and stitching included.

Usage: python -m benchmarks.whole_scan SCAN.npz
"""

import json
import resource
import sys
import time

import torch

from ptychopinn.bundle import Bundle
from ptychopinn.config import Config, DataConfig, InferenceConfig
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan


def peak_mib() -> float:
    """Peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(path: str) -> None:
    """Reconstruct with the default network and print the figures as JSON."""
    config = Config(inference=InferenceConfig(checks=False))
    torch.fft.fft2(torch.ones(8, 8, dtype=torch.complex64))
    size = GeneratorSize(64, 16)
    generator = build_generator(config.generator, size).eval()
    before = peak_mib()
    started = time.perf_counter()
    scan = read_scan(path, DataConfig())
    bundle = Bundle(config, generator, size, scan.probe, 1.0)
    result = reconstruct(scan, bundle, config)
    seconds = time.perf_counter() - started
    figures = {
        "patterns": scan.n_patterns,
        "seconds": seconds,
        "memory_mib": peak_mib() - before,
        "data_mib": scan.patterns.nbytes / 2**20,
        "canvas": list(result.object.shape),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1])
