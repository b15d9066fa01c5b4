"""How close a reconstruction comes to what its FFTs and convolutions alone would take.

Usage: python -m benchmarks.bound SCAN [--probe FILE] [--rounds 5] [--device cuda]

    bound = 2 K P sweeps / (FFTs a second) + network passes * flop / (flop a second of convolutions)

Both rates are measured in the same run, with as many threads as the reconstruction uses, each
thread with FFTs of its own, as in a sweep: two threads on two hyperthreads of one core are worth
little more than one. A GPU is fed by one thread, and a timing ends when it is done.
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
from ptychopinn.config import Config, DataConfig, GeneratorConfig, InferenceConfig
from ptychopinn.device import automatic_batch_size, resolve_device, use_threads
from ptychopinn.generators.correction import CHANNELS
from ptychopinn.generators.unrolled import Unrolled
from ptychopinn.inference import reconstruct
from ptychopinn.io import read_scan
from ptychopinn.scan import Scan

#: Repeats inside one timing, so that a timing takes some tenths of a second.
REPEATS = 12
#: Side of the image that convolutions are timed on: a GPU wants more work than a processor.
SIDES = {"cpu": 256, "cuda": 2048}


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


def wait_for(device: torch.device) -> None:
    """Return when a device has done what it was given; a processor has."""
    {"cuda": torch.cuda.synchronize}.get(device.type, lambda _: None)(device)


def fft_rate(n: int, modes: int, threads: int, rounds: int, device: torch.device) -> float:
    """Return FFTs a second of complex64 (N, N) in batches as the sweeps take them."""
    size = automatic_batch_size(n, modes, device) * modes
    threads = threads if device.type == "cpu" else 1
    waves = [torch.randn(size, n, n, dtype=torch.complex64, device=device) for _ in range(threads)]

    def share(number: int) -> None:
        for _ in range(REPEATS):
            torch.fft.fft2(waves[number], norm="backward")
        wait_for(device)

    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return (
            size
            * threads
            * REPEATS
            / seconds(lambda: list(pool.map(share, range(threads))), rounds)
        )


def flop_rate(width: int, rounds: int, device: torch.device) -> float:
    """Return floating point operations a second of a 3 x 3 convolution, channels last."""
    side, last = SIDES[device.type], torch.channels_last
    layer = nn.Conv2d(width, width, 3, padding=1).to(device, memory_format=last)
    image = torch.randn(1, width, side, side, device=device).contiguous(memory_format=last)

    def work() -> None:
        layer(image)
        wait_for(device)

    with torch.inference_mode():
        return 2 * 9 * width * width * side * side / seconds(work, rounds)


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


def bound_of(scan: Scan, solver: Unrolled, rounds: int, device: torch.device) -> Bound:
    """Measure both rates and return the bound of a scan on a device of this machine."""
    threads = torch.get_num_threads()
    ffts = fft_rate(scan.n, scan.n_modes, threads, rounds, device)
    needed = 2 * scan.n_patterns * scan.n_modes * solver.whole_scan_stages
    flops = flop_rate(32, rounds, device)
    work = sum(network_flop(network, scan.canvas_shape) for network in solver.networks) / max(
        1, len(solver.networks)
    )
    return Bound(ffts, flops, needed / ffts, solver.network_stages * work / flops)


def measure(path: str, probe: str | None, rounds: int, device: str = "cpu") -> dict[str, float]:
    """Return the bound, what a reconstruction takes, loading included, and the share."""
    data = DataConfig(probe=probe)
    use_threads(None)
    solver = load_pretrained(GeneratorConfig()).generator
    assert isinstance(solver, Unrolled)
    # As many sweeps as the bound counts: the default may take more.
    stages = solver.whole_scan_stages
    settings = InferenceConfig(checks=False, device=device, stages=stages, long_waves=False)
    config = Config(data=data, inference=settings)
    bound = bound_of(read_scan(path, data), solver, rounds, resolve_device(device))
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
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1")
    options = parser.parse_args()
    print(json.dumps(measure(options.scan, options.probe, options.rounds, options.device)))


if __name__ == "__main__":
    main()
