"""How close a reconstruction comes to what its FFTs and convolutions alone would take.

Usage: python -m benchmarks.bound SCAN [--probe FILE] [--rounds 5]

    bound = 2 K P sweeps / (FFTs a second) + network passes * flop / (flop a second of convolutions)

Both rates are measured in the same run, with as many threads as the reconstruction uses, each
thread with FFTs of its own, as in a sweep: two threads on two hyperthreads of one core are worth
little more than one.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import nn

from ptychopinn.bundle import load_pretrained
from ptychopinn.config import Config, DataConfig, InferenceConfig
from ptychopinn.device import automatic_batch_size, use_threads
from ptychopinn.generators.correction import CHANNELS
from ptychopinn.generators.unrolled import Unrolled
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan
from ptychopinn.scan import Scan

#: Repeats inside one timing, so that a timing takes some tenths of a second.
REPEATS = 12


class Bound(NamedTuple):
    """Seconds that a reconstruction cannot do without."""

    fft_rate: float
    """FFTs of N x N a second, all threads together."""
    flop_rate: float
    """Floating point operations a second of a convolution such as the networks have."""
    fft_seconds: float
    network_seconds: float


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of a piece of work, after one that does not count."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def fft_rate(n: int, modes: int, threads: int, rounds: int) -> float:
    """Return FFTs a second of complex64 (N, N) in batches as the sweeps take them."""
    size = automatic_batch_size(n, modes, torch.device("cpu")) * modes
    waves = [torch.randn(size, n, n, dtype=torch.complex64) for _ in range(threads)]

    def share(number: int) -> None:
        for _ in range(REPEATS):
            torch.fft.fft2(waves[number], norm="ortho")

    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return (
            size
            * threads
            * REPEATS
            / seconds(lambda: list(pool.map(share, range(threads))), rounds)
        )


def flop_rate(width: int, side: int, rounds: int) -> float:
    """Return floating point operations a second of a 3 x 3 convolution, channels last."""
    layer = nn.Conv2d(width, width, 3, padding=1).to(memory_format=torch.channels_last)
    image = torch.randn(1, width, side, side).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return 2 * 9 * width * width * side * side / seconds(lambda: layer(image), rounds)


def network_flop(network: nn.Module, shape: tuple[int, int]) -> float:
    """Count the floating point operations of the convolutions of one pass over a canvas."""
    counted = [0.0]

    def count(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            area = layer.kernel_size[0] * layer.kernel_size[1]
            counted[0] += 2.0 * area * layer.in_channels * out.numel()

    hooks = [layer.register_forward_hook(count) for layer in network.modules()]
    with torch.inference_mode():
        network(torch.zeros(1, CHANNELS, *shape))
    for hook in hooks:
        hook.remove()
    return counted[0]


def bound_of(scan: Scan, solver: Unrolled, rounds: int) -> Bound:
    """Measure both rates and return the bound of a scan on this machine."""
    threads = torch.get_num_threads()
    ffts = fft_rate(scan.n, scan.n_modes, threads, rounds)
    needed = 2 * scan.n_patterns * scan.n_modes * solver.whole_scan_stages
    flops = flop_rate(32, 256, rounds)
    work = sum(network_flop(network, scan.canvas_shape) for network in solver.networks) / max(
        1, len(solver.networks)
    )
    return Bound(ffts, flops, needed / ffts, solver.network_stages * work / flops)


def measure(path: str, probe: str | None, rounds: int) -> dict[str, float]:
    """Return the bound, what a reconstruction takes, loading included, and the share."""
    data = DataConfig(probe=probe)
    config = Config(data=data, inference=InferenceConfig(checks=False))
    use_threads(None)
    solver = load_pretrained(config.generator).generator
    assert isinstance(solver, Unrolled)
    bound = bound_of(read_scan(path, data), solver, rounds)
    taken = seconds(lambda: reconstruct(read_scan(path, data), None, config), rounds)
    patterns = read_scan(path, data).n_patterns
    limit = bound.fft_seconds + bound.network_seconds
    return {
        **bound._asdict(),
        "bound_seconds": limit,
        "seconds": taken,
        "share": limit / taken,
        "patterns_per_second": patterns / taken,
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan")
    parser.add_argument("--probe")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(measure(options.scan, options.probe, options.rounds)))


if __name__ == "__main__":
    main()
