"""A trained model on disk: one zip of safetensors and JSON, sealed, and checked when it is read."""

import copy
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from ptychopinn.bundle_contents import (
    REFINED_POSITIONS,
    require_arrays,
    require_manifest,
    require_weights,
)
from ptychopinn.canvases import reconstruct_batch
from ptychopinn.config import Config, GeneratorConfig
from ptychopinn.data import DescriptorRanges
from ptychopinn.errors import BundleError, ConfigError
from ptychopinn.generators import Generator, GeneratorSize, build_generator
from ptychopinn.io import replacing
from ptychopinn.io.bundle_file import BUNDLE_NAME, read_members, sealed_zip
from ptychopinn.physics.view import BatchView
from ptychopinn.scan import PatternBatch

__all__ = [
    "BUNDLE_NAME",
    "FORMAT",
    "GOLDEN_TOLERANCE",
    "Bundle",
    "load_bundle",
    "load_pretrained",
    "package_versions",
    "save_bundle",
    "shipped_generators",
    "start_from",
    "trained_ranges",
]

_LOG = logging.getLogger(__name__)

#: Weights that come with the package, by generator; see weights/README.md.
_SHIPPED = {"unrolled": "weights/unrolled.h5.zip"}
#: Version of the layout; another one is refused.
FORMAT = 1
#: Largest relative difference between the golden answer and today's.
GOLDEN_TOLERANCE = 1e-3


def package_versions() -> dict[str, str]:
    """Return the versions of this package and of what its numbers depend on."""
    found = {}
    for name in ("ptychopinn", "torch", "numpy", "lightning"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


@dataclass(frozen=True)
class Bundle:
    """A generator with its weights and everything that its answers depend on."""

    config: Config
    """The settings that it was trained with."""
    generator: Generator
    """The network, in evaluation mode."""
    size: GeneratorSize
    """N and C that it was built for."""
    probe: np.ndarray
    """(P, N, N) complex64 of the training, in sqrt(photons) per pixel."""
    pattern_counts: float
    """Mean photons of a training pattern: the scale of the gauge."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row an epoch: losses, learning rate, seconds."""
    statistics: dict[str, Any] = field(default_factory=dict)
    """Training figures: steps, seconds, patterns, name of the scan, domain, what a refinement
    before it and by it found, and the ranges of all scans that the weights were ever trained on."""
    versions: dict[str, str] = field(default_factory=package_versions)
    """Versions that made it."""
    start_probe: np.ndarray | None = None
    """(P, N, N) complex64 before it was refined for the training; None = it was not."""
    positions_px: np.ndarray | None = None
    """(K, 2) float64 (y, x) of the whole scan, refined for the training; None = they were not."""
    start_positions_px: np.ndarray | None = None
    """(K, 2) float64 before; None = they were not refined."""
    golden: PatternBatch | None = None
    """A small input whose answer is stored beside it."""


def _golden_answer(bundle: Bundle, golden: PatternBatch) -> torch.Tensor:
    with torch.no_grad():
        return reconstruct_batch(bundle.generator, BatchView(golden)).cpu()


def save_bundle(path: str | Path, bundle: Bundle) -> Path:
    """Write a bundle, beside its place first and moved in when it is whole.

    Raises:
        BundleError: The bundle has no golden sample.
        OutputError: It cannot be written.
    """
    if bundle.golden is None:
        raise BundleError(f"{path}: a bundle wants a golden sample, found none.")
    manifest = {
        "format": FORMAT,
        "versions": bundle.versions,
        "config": bundle.config.to_dict(),
        "size": {"n": bundle.size.n, "group_size": bundle.size.group_size},
        "pattern_counts": bundle.pattern_counts,
        "history": bundle.history,
        "statistics": bundle.statistics,
        "golden_canvas": list(bundle.golden.canvas_shape),
    }
    arrays = {
        "probe": torch.view_as_real(torch.from_numpy(bundle.probe)),
        "golden_counts": bundle.golden.counts,
        "golden_corners": bundle.golden.corners,
        "golden_fractions": bundle.golden.fractions,
        "golden_probe": torch.view_as_real(bundle.golden.probe),
        "golden_mask": bundle.golden.mask,
        "golden_answer": torch.view_as_real(_golden_answer(bundle, bundle.golden)),
    }
    if bundle.start_probe is not None:
        arrays["start_probe"] = torch.view_as_real(torch.from_numpy(bundle.start_probe))
    for name in REFINED_POSITIONS:
        positions = getattr(bundle, name)
        if positions is not None:
            arrays[name] = torch.from_numpy(np.asarray(positions, dtype=np.float64))
    contents = (
        json.dumps(manifest, indent=1).encode(),
        save_tensors(_plain(bundle.generator.state_dict())),
        save_tensors(_plain(arrays)),
    )
    with replacing(path) as beside:
        Path(beside).write_bytes(sealed_zip(contents))
    return Path(path)


def _plain(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}


def load_bundle(path: str | Path) -> Bundle:
    """Read a bundle, rebuild its generator, and check that it still gives its golden answer.

    Raises:
        BundleError: It is damaged, changed, of another format, or answers differently here.
    """
    place = Path(path)
    members = read_members(place)
    try:
        manifest = json.loads(members["manifest.json"])
        arrays = load_tensors(members["arrays.safetensors"])
        weights = load_tensors(members["weights.safetensors"])
    except (ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise BundleError(f"{place}: a member of the bundle is unreadable ({error}).") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{place}: manifest.json holds {type(manifest).__name__}, wanted names.")
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{place}: the bundle has format {manifest.get('format')}, this version reads "
            f"{FORMAT}; train again, or use the version that wrote it "
            f"({_version_in(manifest)})."
        )
    with _misfits_told(place):
        bundle = _rebuild(manifest, arrays, weights)
        answer = torch.view_as_complex(arrays["golden_answer"])
        _require_golden_answer(place, bundle, answer)
    return bundle


@contextmanager
def _misfits_told(place: Path) -> Iterator[None]:
    """Turn what a manifest or an array of another kind leads to into the sentence on the file."""
    try:
        yield
    except BundleError:
        raise
    except (ConfigError, LookupError, TypeError, ValueError, RuntimeError, MemoryError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise BundleError(
            f"{place}: the bundle does not fit this version of ptychopinn ({reason}); train again."
        ) from error


def _version_in(manifest: dict[str, Any]) -> str:
    """Return the version of this package that a manifest of whatever format names."""
    versions = manifest.get("versions")
    named = versions.get("ptychopinn") if isinstance(versions, dict) else None
    return named if isinstance(named, str) else "unknown"


def shipped_generators() -> tuple[str, ...]:
    """Return the names of the generators whose weights come with the package."""
    return tuple(_SHIPPED)


def load_pretrained(wanted: GeneratorConfig) -> Bundle:
    """Return the bundle that comes with the package for a generator.

    Args:
        wanted: Name and settings; settings other than the defaults must be those of the weights.

    Raises:
        ConfigError: No weights come with that generator, or not with these settings.
    """
    if wanted.name not in _SHIPPED:
        raise ConfigError(
            f"generator.name: no weights for '{wanted.name}' come with the package, only for "
            f"{', '.join(_SHIPPED)}; train it: ptychopinn train SCAN --generator {wanted.name}"
        )
    bundle = _shipped(wanted.name)
    config = replace(bundle.config, generator=_agreed(wanted, bundle))
    return replace(bundle, config=config, generator=copy.deepcopy(bundle.generator))


@cache
def _shipped(name: str) -> Bundle:
    """Return what comes with the package, read and checked once; not to be changed."""
    with as_file(files("ptychopinn") / _SHIPPED[name]) as place:
        return load_bundle(place)


def _agreed(wanted: GeneratorConfig, bundle: Bundle) -> GeneratorConfig:
    """Return the settings of the weights, unless some that were asked for contradict them."""
    held = bundle.config.generator.to_dict()[wanted.name]
    default = GeneratorConfig().to_dict()[wanted.name]
    for key, value in wanted.to_dict()[wanted.name].items():
        if value not in (default[key], held[key]):
            raise ConfigError(
                f"generator.{wanted.name}.{key}: the weights that come with the package have "
                f"{held[key]}, asked for was {value}; leave out that setting, or train with it: "
                "ptychopinn train SCAN."
            )
    return bundle.config.generator


def trained_ranges(bundle: Bundle | None) -> DescriptorRanges | None:
    """Return what the scans span that the weights were trained on; None where nobody noted it.

    A bundle keeps them in its statistics as ``descriptor_ranges``.
    """
    kept = bundle.statistics.get("descriptor_ranges") if bundle else None
    return None if kept is None else DescriptorRanges.from_dict(kept)


def start_from(generator: Generator, bundle: Bundle, what: str) -> None:
    """Give a generator the weights of a bundle.

    Raises:
        ConfigError: The bundle holds another architecture.
    """
    try:
        generator.load_state_dict(bundle.generator.state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"training.init: {what} holds weights of '{bundle.config.generator.name}' for "
            f"N = {bundle.size.n} and groups of {bundle.size.group_size}, which do not fit "
            f"{type(generator).__name__} as the settings describe it; use the settings in the "
            "config.yaml beside that bundle, or --init fresh."
        ) from error


def _rebuild(
    manifest: dict[str, Any], arrays: dict[str, torch.Tensor], weights: dict[str, torch.Tensor]
) -> Bundle:
    """Check everything that the members hold, then build what they describe."""
    require_manifest(manifest)
    config = Config.from_dict(manifest["config"])
    size = GeneratorSize(**manifest["size"])
    height, width = manifest["golden_canvas"]
    require_arrays(arrays, size, (height, width))
    require_weights(weights, config.generator, size)
    generator = build_generator(config.generator, size)
    generator.load_state_dict(weights)
    golden = PatternBatch(
        counts=arrays["golden_counts"],
        corners=arrays["golden_corners"],
        fractions=arrays["golden_fractions"],
        probe=torch.view_as_complex(arrays["golden_probe"]),
        mask=arrays["golden_mask"],
        canvas_shape=(height, width),
    )
    return Bundle(
        config=config,
        generator=generator.eval(),
        size=size,
        probe=torch.view_as_complex(arrays["probe"]).numpy(),
        start_probe=_start_probe(arrays),
        **{name: arrays[name].numpy() for name in REFINED_POSITIONS if name in arrays},
        pattern_counts=manifest["pattern_counts"],
        history=manifest["history"],
        statistics=manifest["statistics"],
        versions=manifest["versions"],
        golden=golden,
    )


def _start_probe(arrays: dict[str, torch.Tensor]) -> np.ndarray | None:
    if "start_probe" not in arrays:
        return None
    return np.asarray(torch.view_as_complex(arrays["start_probe"]).numpy())


def _require_golden_answer(place: Path, bundle: Bundle, expected: torch.Tensor) -> None:
    if bundle.golden is None:
        raise BundleError(f"{place}: the bundle has no golden sample.")
    answer = _golden_answer(bundle, bundle.golden)
    difference = float((answer - expected).abs().max() / expected.abs().max().clamp_min(1e-12))
    if not difference <= GOLDEN_TOLERANCE:
        raise BundleError(
            f"{place}: the model answers its golden sample differently here (by {difference:.2g} "
            f"of the maximum, at most {GOLDEN_TOLERANCE:g} is allowed); written with "
            f"{bundle.versions}, here {package_versions()}."
        )
    _LOG.debug("golden sample agrees to %.2g", difference)
