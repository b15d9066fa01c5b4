"""A second of work: do FFTs run, do compressed files open, does a small scan become an image?"""

import time
from collections.abc import Callable
from functools import partial

import h5py
import hdf5plugin
import numpy as np
import torch

from ptychopinn.config import Config, InferenceConfig, SimulationConfig
from ptychopinn.device import resolve_device
from ptychopinn.doctor.records import SelfTest
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from ptychopinn.simulation import simulate

#: The phase of the small scan is wrong by about 0.05 rad; what works cannot be this far off.
LARGEST_PHASE_ERROR_RAD = 0.2
_FFT_N = 128
_FFT_BATCH = 64
_FFT_SECONDS = 0.3


def try_out() -> list[SelfTest]:
    """Try everything that a reconstruction needs, in about two seconds."""
    trials: dict[str, Callable[[], SelfTest]] = {
        "FFT": _fft_rate,
        "compressed HDF5": _compressed_hdf5,
        "small scan": _small_scan,
    }
    return [_guarded(name, trial) for name, trial in trials.items()]


def _guarded(name: str, trial: Callable[[], SelfTest]) -> SelfTest:
    """Turn whatever goes wrong into a row: that is what the trial is for."""
    try:
        return trial()
    except Exception as error:  # noqa: BLE001
        return SelfTest(name, False, f"{type(error).__name__}: {error}")


def _fft_rate() -> SelfTest:
    """Count two-dimensional FFTs for a moment on the device that reconstructions take."""
    device = resolve_device("auto")
    waves = torch.ones(_FFT_BATCH, _FFT_N, _FFT_N, dtype=torch.complex64, device=device)
    torch.fft.fft2(waves)
    started, done, wait = time.monotonic(), 0, partial(_settle, device)
    while time.monotonic() - started < _FFT_SECONDS:
        torch.fft.fft2(waves)
        wait()
        done += _FFT_BATCH
    rate = done / (time.monotonic() - started)
    return SelfTest("FFT", True, f"{rate:,.0f} of {_FFT_N} x {_FFT_N} per second on {device}")


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _compressed_hdf5() -> SelfTest:
    """Write and read, in memory, a pattern with each filter that detectors use."""
    pattern = np.arange(64 * 64, dtype=np.uint32).reshape(1, 64, 64)
    filters = {
        "bitshuffle": hdf5plugin.Bitshuffle(),
        "LZ4": hdf5plugin.LZ4(),
        "Blosc": hdf5plugin.Blosc(),
        "Zstandard": hdf5plugin.Zstd(),
    }
    with h5py.File("self-test", "w", driver="core", backing_store=False) as file:
        for name, chosen in filters.items():
            file.create_dataset(name, data=pattern, chunks=pattern.shape, **chosen)
        wrong = [name for name in filters if not np.array_equal(file[name][()], pattern)]
    said = f"wrong values with {', '.join(wrong)}" if wrong else f"{', '.join(filters)}"
    return SelfTest("compressed HDF5", not wrong, said)


def _small_scan() -> SelfTest:
    """Simulate a scan, reconstruct it with the weights in the box, compare with the truth."""
    scan = simulate(SimulationConfig(n=32, patterns=100, step_px=4.0))
    started = time.monotonic()
    result = reconstruct(scan, config=Config(inference=InferenceConfig(checks=False)))
    seconds = time.monotonic() - started
    assert scan.truth is not None  # a simulated scan has one
    error = compare(result.object, scan.truth, result.coverage).metrics.phase.rmse
    works = bool(error < LARGEST_PHASE_ERROR_RAD)
    return SelfTest(
        "small scan",
        works,
        f"{scan.n_patterns} patterns in {seconds:.2f} s, phase off by {error:.3f} rad",
    )
