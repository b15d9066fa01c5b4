"""Damaged and hostile files for every reader: only our own errors may come out.

Usage: python -m benchmarks.fuzz [--inputs 100000] [--seed 0] [--start 0] [--keep FOLDER]

Good files of every kind (those of the tests, which other programs wrote, a result, a bundle, a
checkpoint, a configuration) are damaged: bytes changed, cut, repeated, numbers made absurd, arrays
of NPZ and HDF5 files and members of bundles replaced by others. A bundle is sealed again after it,
or nothing behind its seal would be reached. Input i of a seed is always the same. Each is read in a
process that others watch:

- an exception that is not ours, or none of the process's last words, is a finding;
- so is an input that takes longer than `SECONDS`;
- and one that needs more memory than `MEMORY_BYTES` above what the process held.

Findings are printed with their number, and their files kept where --keep says.
"""

import argparse
import contextlib
import io
import json
import math
import multiprocessing
import resource
import shutil
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import safetensors.numpy
import torch

from ptychopinn.bundle import load_bundle
from ptychopinn.cli.main import main as command
from ptychopinn.config import Config, DataConfig
from ptychopinn.errors import PtychoError
from ptychopinn.io import read_probe, read_product, read_reference, read_scan
from ptychopinn.io.bundle_file import MEMBERS, SEAL_LENGTH, read_members, seal, sealed_zip
from ptychopinn.io.mask_file import read_mask_file
from ptychopinn.training.checkpoint import LastCheckpoint

#: An input may take no longer than this; a good one takes some hundredths.
SECONDS = 20.0
#: Memory that an input of some kB may need.
MEMORY_BYTES = 2**30
SAMPLES = Path(__file__).parents[1] / "tests" / "io" / "data"
#: Values that parsers trip over.
_ABSURD = (0, 1, -1, 2**15, 2**31 - 1, 2**31, 2**40, 2**63 - 1)


@dataclass(frozen=True)
class Sample:
    """A good file, or the folder that it is part of, and what is done with it."""

    place: Path
    """File or folder that is copied."""
    damaged: str
    """Name of the file in it that is damaged; empty = the place itself."""
    read: Callable[[Path], object]
    """Called with the copy."""


def _scan(path: Path) -> None:
    scan = read_scan(path, DataConfig())
    scan.counts(np.arange(min(4, scan.n_patterns)))


def _map(path: Path) -> None:
    places = "patterns=/frames positions=/xy energy=8keV distance=1m pixel=75um position_unit=um"
    read_scan(path, DataConfig(map=places))


def _raster(path: Path) -> None:
    read_scan(path, DataConfig(map="step=2px"))


def _resume(path: Path) -> None:
    LastCheckpoint(path, {"scan": "one"}).require_same_run()


def _inspect(path: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = command(["inspect", str(path)])
    if code not in (0, 1, 2):
        raise AssertionError(f"exit code {code}")


def _mask(path: Path) -> None:
    read_mask_file(path, (16, 16))


def samples(folder: Path) -> list[Sample]:
    """Return all good files; those that the package writes are written into a folder."""
    found = [
        Sample(SAMPLES / name, "", read)
        for name in ("scan.npz", "cdtools.cxi", "emd.h5", "ptylab.hdf5", "tike.npz")
        for read in (_scan, _inspect)
    ]
    found += [
        Sample(SAMPLES / name, part, _scan)
        for name, parts in {
            "ptychodus_hdf5": ("diffraction.h5", "product.h5"),
            "ptychodus_npz": ("diffraction.npz", "product.npz"),
            "ptychodus_pair": ("scan_dp.hdf5", "scan_para.hdf5"),
            "ptychodus_training": ("training.h5",),
        }.items()
        for part in parts
    ]
    return found + _written_samples(folder)


def _written_samples(folder: Path) -> list[Sample]:
    """Write a mapped file, a result, a bundle, arrays and settings."""
    from tests.io import hdf5_files, test_empad
    from tests.test_bundle import make_bundle

    from ptycho_torch.checkpoint import read_settings
    from ptychopinn.bundle import save_bundle
    from ptychopinn.io import write_product, write_scan
    from ptychopinn.scan import Reconstruction

    scan = read_scan(SAMPLES / "scan.npz", DataConfig())
    write_scan(folder / "scan.ptyd", scan)
    with h5py.File(folder / "plain.h5", "w") as file:
        file["frames"] = scan.counts().astype(np.uint16)
        file["xy"] = scan.positions_px * 0.1
    shape = scan.canvas_shape
    result = Reconstruction(
        object=np.ones(shape, np.complex64),
        coverage=np.ones(shape, np.float32),
        probe=scan.probe,
        positions_px=scan.positions_px,
        losses=np.ones(3),
    )
    write_product(folder / "result.h5", result)
    save_bundle(folder / "wts.h5.zip", make_bundle())
    hdf5_files.nxptycho(folder)
    (folder / "empad").mkdir()
    test_empad.written(folder / "empad")
    np.save(folder / "raster.npy", scan.counts(np.arange(12)).reshape(3, 4, scan.n, scan.n))
    record = {"ptychopinn": {"settings": {"model": {"n": 3}}, "data": None}}
    torch.save({"state_dict": {"w": torch.ones(3)}, **record}, folder / "last.ckpt")
    kept = {LastCheckpoint.__qualname__: LastCheckpoint(Path(), {"scan": "one"}).state_dict()}
    torch.save({"callbacks": kept, "w": torch.ones(3)}, folder / "checkpoint.ckpt")
    np.save(folder / "probe.npy", scan.probe)
    np.save(folder / "mask.npy", np.zeros((16, 16), bool))
    (folder / "config.yaml").write_text(Config().to_yaml(), encoding="utf-8")
    readers = {
        "scan.ptyd": _scan,
        "plain.h5": _map,
        "result.h5": read_product,
        "wts.h5.zip": load_bundle,
        "nx.h5": _scan,
        "raster.npy": _raster,
        "last.ckpt": read_settings,
        "checkpoint.ckpt": _resume,
        "probe.npy": read_probe,
        "mask.npy": _mask,
        "config.yaml": Config.load,
    }
    found = [Sample(folder / name, "", read) for name, read in readers.items()]
    found += [Sample(folder / "empad", name, _scan) for name in ("data.raw", "data.xml")]
    return [*found, Sample(folder / "result.h5", "", read_reference)]


def damage(path: Path, rng: np.random.Generator) -> str:
    """Damage a file in place, and say how."""
    ways: list[Callable[[Path, np.random.Generator], str]] = [_change_bytes]
    if path.suffix in {".h5", ".hdf5", ".cxi", ".ptyd"}:
        ways += [_change_hdf5, _change_hdf5]
    if path.suffix == ".npz":
        ways += [_change_npz, _change_npz]
    if path.suffix == ".zip":
        ways = [_change_bytes, _change_and_seal, _change_manifest, _change_arrays]
    return ways[rng.integers(len(ways))](path, rng)


def _change_bytes(path: Path, rng: np.random.Generator) -> str:
    data = bytearray(path.read_bytes())
    steps = int(rng.integers(1, 5))
    said = [_one_change(data, rng) for _ in range(steps) if data]
    path.write_bytes(bytes(data))
    return "bytes: " + ", ".join(said)


def _change_and_seal(path: Path, rng: np.random.Generator) -> str:
    """Change bytes of the zip, of a member of it, or of both, behind a seal that fits."""
    if rng.random() < 0.5:
        body = bytearray(path.read_bytes()[:-SEAL_LENGTH])
        said = _one_change(body, rng)
        path.write_bytes(seal(bytes(body)))
        return f"sealed: {said}"
    contents = list(read_members(path).values())
    which = int(rng.integers(len(contents)))
    member = bytearray(contents[which])
    said = _one_change(member, rng)
    contents[which] = bytes(member)
    path.write_bytes(sealed_zip(contents))
    return f"sealed: {MEMBERS[which]}: {said}"


def _change_manifest(path: Path, rng: np.random.Generator) -> str:
    """Replace one value of the manifest, at any depth, by one of another kind."""
    manifest, weights, arrays = read_members(path).values()
    told = json.loads(manifest)
    place: Any = told
    while True:
        key = list(place)[rng.integers(len(place))] if isinstance(place, dict) else 0
        deeper = place[key]
        if not isinstance(deeper, dict | list) or not deeper or rng.random() < 0.3:
            break
        place = deeper
    absurd = [None, True, -1, 0, 1e308, math.nan, 2**70, "words", [], {}, [[]], {"a": 1}, ["b"]]
    place[key] = absurd[rng.integers(len(absurd))]
    path.write_bytes(sealed_zip((json.dumps(told).encode(), weights, arrays)))
    return f"sealed: {key} is {place[key]!r}"


def _change_arrays(path: Path, rng: np.random.Generator) -> str:
    """Replace one tensor of the weights or the arrays, or leave it out."""
    manifest, *stored = read_members(path).values()
    which = int(rng.integers(2))
    tensors = safetensors.numpy.load(stored[which])
    name = str(rng.choice(sorted(tensors)))
    absurd = np.ascontiguousarray(_absurd_array(tensors.pop(name), rng))
    if rng.random() < 0.9 and absurd.dtype.kind in "fiub":
        tensors[name] = absurd
    stored[which] = safetensors.numpy.save(tensors)
    path.write_bytes(sealed_zip((manifest, *stored)))
    return f"sealed: {name}: {absurd.dtype} {absurd.shape}"


def _one_change(data: bytearray, rng: np.random.Generator) -> str:
    # Headers are where parsers live.
    reach = min(len(data), 2048) if rng.random() < 0.5 else len(data)
    at, length = int(rng.integers(reach)), int(rng.integers(1, 64))
    stop = min(at + length, len(data))
    size = int(rng.choice([2, 4, 8]))
    number = _ABSURD[rng.integers(len(_ABSURD))]
    bit = bytes([data[at] ^ 1 << int(rng.integers(8))])
    changes: dict[str, tuple[slice, bytes]] = {
        f"bit at {at}": (slice(at, at + 1), bit),
        f"{length} at random from {at}": (slice(at, stop), rng.bytes(stop - at)),
        f"cut at {at}": (slice(at, None), b""),
        f"{length} gone from {at}": (slice(at, stop), b""),
        f"{length} repeated at {at}": (slice(at, at), bytes(data[at:stop]) * 2),
        f"{number} at {at}": (
            slice(at, at + size),
            (number % 2 ** (8 * size)).to_bytes(size, "little"),
        ),
        f"{length} blank from {at}": (slice(at, stop), b"\0" * (stop - at)),
        f"{length} full from {at}": (slice(at, stop), b"\xff" * (stop - at)),
    }
    said = list(changes)[rng.integers(len(changes))]
    where, what = changes[said]
    data[where] = what
    return said


def _absurd_array(like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an array that is nothing like what a reader hopes for."""
    numbers = like.dtype.kind in "fciu"
    wide = like.astype(complex if like.dtype.kind == "c" else float) if numbers else np.ones(3)
    rough = wide.copy()
    rough.reshape(-1)[rng.integers(max(1, wide.size)) :] = rng.choice([np.nan, np.inf, -1e30])
    rows = max(1, len(like) // 2) if like.ndim else 1
    with np.errstate(all="ignore"):
        scaled = wide * 10.0 ** float(rng.integers(-300, 300))
    absurd = [
        np.zeros((0, *like.shape[1:]), wide.dtype),
        like[:rows] if like.ndim else like[None],
        like[None],
        like[..., 0] if like.ndim and like.shape[-1] else like[None],
        np.array(["words", "not", "numbers"], dtype="S8"),
        rough,
        np.zeros(like.shape, wide.dtype),
        scaled,
        rng.integers(-5, 5, size=like.shape or (1,)).astype(rng.choice(["i8", "f4", "c8", "?"])),
    ]
    return absurd[rng.integers(len(absurd))]


def _change_npz(path: Path, rng: np.random.Generator) -> str:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    key = str(rng.choice(sorted(arrays)))
    if rng.random() < 0.2:
        del arrays[key]
        said = f"without {key}"
    else:
        arrays[key] = _absurd_array(arrays[key], rng)
        said = f"{key}: {arrays[key].dtype} {arrays[key].shape}"
    np.savez(path, **arrays)
    return f"arrays: {said}"


def _change_hdf5(path: Path, rng: np.random.Generator) -> str:
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, _: names.append(name))
        name = str(rng.choice(sorted(names)))
        item = file[name]
        if rng.random() < 0.25 and len(item.attrs):
            key = str(rng.choice(sorted(item.attrs)))
            item.attrs[key] = str(rng.choice(["mm", "", "furlong", "NaN", "m-1"]))
            return f"attribute {name}@{key}"
        way = int(rng.integers(5))
        like = item[()] if isinstance(item, h5py.Dataset) else None
        del file[name]
        if way == 0:
            return f"without {name}"
        if way == 1:
            file[name] = h5py.SoftLink("/" + name)
            return f"{name} leads to itself"
        if way == 2:
            file[name] = h5py.ExternalLink(path.name, "/" + name)
            return f"{name} leads into this file"
        if way == 3 or not isinstance(like, np.ndarray):
            rank = like.ndim if isinstance(like, np.ndarray) else 1
            shape = tuple(int(side) for side in rng.choice([2**18, 2**14, 16], size=max(1, rank)))
            file.create_dataset(name, shape=shape, dtype="f8", chunks=True)
            return f"{name} claims {shape}"
        absurd = _absurd_array(like, rng)
        file[name] = absurd
        return f"{name}: {absurd.dtype} {absurd.shape}"


@dataclass(frozen=True)
class Verdict:
    """What became of one input."""

    number: int
    outcome: str
    """read, refused, or what is wrong."""
    told: str


def make_input(number: int, seed: int, all_samples: list[Sample], folder: Path) -> tuple[Path, str]:
    """Write input ``number`` into an empty folder; return what to read, and how it was damaged."""
    rng = np.random.default_rng([seed, number])
    sample = all_samples[number % len(all_samples)]
    copy = folder / sample.place.name
    if sample.place.is_dir():
        shutil.copytree(sample.place, copy)
    else:
        shutil.copy(sample.place, copy)
    said = damage(copy / sample.damaged if sample.damaged else copy, rng)
    return copy, said


def attempt(number: int, seed: int, all_samples: list[Sample], folder: Path) -> Verdict:
    """Make an input and read it."""
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        sample = all_samples[number % len(all_samples)]
        path, said = make_input(number, seed, all_samples, place)
        told = f"{sample.read.__name__} {path.name} ({said})"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sample.read(path)
            outcome = "read"
        except PtychoError:
            outcome = "refused"
        except Exception:  # noqa: BLE001 - this is what is looked for
            return Verdict(number, "not ours", f"{told}\n{traceback.format_exc(limit=-4)}")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if grown * 1024 > MEMORY_BYTES:
            return Verdict(number, "memory", f"{told}: {grown // 1024} MiB")
        return Verdict(number, outcome, told)


def _work(numbers: range, seed: int, folder: Path, answers: Connection) -> None:
    """Go through inputs; say each number before it is tried, and its verdict after."""
    found = samples(folder)
    for number in numbers:
        answers.send(number)
        answers.send(attempt(number, seed, found, folder))
    answers.send(None)


def fuzz(numbers: range, seed: int) -> Iterator[Verdict]:
    """Yield the verdict on every input; a process that dies or hangs is replaced."""
    # Not a fork: threads of torch would not survive it.
    context = multiprocessing.get_context("spawn")
    while numbers:
        with tempfile.TemporaryDirectory() as folder:
            answers, theirs = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(numbers, seed, Path(folder), theirs))
            worker.start()
            theirs.close()
            at = numbers[0] - 1
            try:
                # The first answer comes after the imports.
                while answers.poll(SECONDS if at >= numbers[0] else 120):
                    answer = answers.recv()
                    if answer is None:
                        return
                    if isinstance(answer, int):
                        at = answer
                    else:
                        yield answer
                outcome = "hung"
            except EOFError:
                worker.join()
                outcome = f"died ({worker.exitcode})"
            finally:
                worker.kill()
            yield Verdict(at, outcome, "")
            numbers = numbers[numbers.index(max(at, numbers[0])) + 1 :]


def keep(number: int, seed: int, folder: Path) -> None:
    """Write an input once more, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        place = folder / f"{seed}-{number}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        make_input(number, seed, samples(Path(scratch)), place)


def main() -> None:
    """Fuzz and print what was found; exit code 1 when anything was."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    started = time.monotonic()
    for verdict in fuzz(range(options.start, options.start + options.inputs), options.seed):
        outcomes[verdict.outcome] += 1
        if verdict.outcome not in ("read", "refused"):
            print(f"{verdict.number}: {verdict.outcome}: {verdict.told}", flush=True)
            if options.keep:
                keep(verdict.number, options.seed, options.keep)
        if sum(outcomes.values()) % 5000 == 0:
            print(dict(outcomes), f"{time.monotonic() - started:.0f} s", flush=True)
    print(json.dumps({"seconds": round(time.monotonic() - started), **outcomes}))
    raise SystemExit(outcomes.keys() - {"read", "refused"} != set())


if __name__ == "__main__":
    main()
