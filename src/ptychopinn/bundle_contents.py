"""What a bundle must hold: names, kinds and shapes, checked before anything is made of it.

Every function raises ConfigError or ShapeError; `bundle.load_bundle` says of which file.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch

from ptychopinn.axes import require_axes
from ptychopinn.config import GeneratorConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators import GeneratorSize, build_generator

#: Bounds of the settings, which a forged size must keep as well.
_LARGEST_N = 8192
_LARGEST_GROUP = 4096
_FLOAT = torch.float32
#: Arrays that a bundle has where positions were refined for its training: both or neither.
REFINED_POSITIONS = ("positions_px", "start_positions_px")
_HISTORY = {"epoch", "step", "seconds", "train_loss", "val_loss", "learning_rate"}


def require_manifest(manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest whose values are of another kind than `save_bundle` writes."""
    size = manifest["size"]
    _require(isinstance(size, dict), "size", size, "n and group_size")
    for name, most in (("n", _LARGEST_N), ("group_size", _LARGEST_GROUP)):
        value = size[name]
        good = _is_whole(value) and 1 <= value <= most
        _require(good, f"size.{name}", value, f"a whole number from 1 to {most}")
    counts = manifest["pattern_counts"]
    good = _is_number(counts) and 0 < counts < math.inf
    _require(good, "pattern_counts", counts, "a number above 0")
    versions = manifest["versions"]
    good = isinstance(versions, dict) and all(isinstance(x, str) for x in versions.values())
    _require(good, "versions", versions, "names with versions")
    statistics = manifest["statistics"]
    _require(isinstance(statistics, dict), "statistics", statistics, "named figures")
    history = manifest["history"]
    _require(isinstance(history, list), "history", history, "a list of rows")
    for row in history:
        good = isinstance(row, dict) and all(x is None or _is_number(x) for x in row.values())
        _require(good, "history", row, "rows of named numbers")
        known = "train_loss" in row and row.keys() <= _HISTORY
        _require(known, "history", row, f"train_loss and nothing but {', '.join(sorted(_HISTORY))}")
    canvas = manifest["golden_canvas"]
    good = isinstance(canvas, list) and len(canvas) == 2 and all(map(_is_whole, canvas))
    good = good and min(canvas) >= size["n"]
    _require(good, "golden_canvas", canvas, "two sides of at least N pixels")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_whole(value)


def _require(good: bool, name: str, found: Any, wanted: str) -> None:
    if not good:
        raise ConfigError(f"{name}: found {str(found)[:60]!r}, wanted {wanted}")


def require_weights(
    weights: Mapping[str, torch.Tensor], config: GeneratorConfig, size: GeneratorSize
) -> None:
    """Refuse weights that are not those of the generator that the settings describe.

    The generator is built without memory for it, so that absurd settings cost none.
    """
    with torch.device("meta"):
        expected = build_generator(config, size).state_dict()
    if weights.keys() != expected.keys():
        odd = sorted(weights.keys() ^ expected.keys())[0]
        raise ConfigError(f"weights: {odd} is missing or too much")
    for name, tensor in expected.items():
        found = weights[name]
        if found.shape != tensor.shape or found.dtype != tensor.dtype:
            raise ConfigError(
                f"weights: {name}: found {tuple(found.shape)} {found.dtype}, wanted "
                f"{tuple(tensor.shape)} {tensor.dtype}"
            )


def require_arrays(
    arrays: Mapping[str, torch.Tensor], size: GeneratorSize, canvas: tuple[int, int]
) -> None:
    """Refuse arrays that do not fit each other, or hold what is no number.

    Complex arrays have their real and imaginary part as last axis. The golden answer is in the
    file, so that a canvas of its size is no more than the file has.

    Args:
        arrays: Of the bundle, by name.
        size: What the generator was built for.
        canvas: (H, W) of the golden sample.
    """
    n, (height, width) = size.n, canvas
    for name in ("probe", "golden_probe", *(["start_probe"] if "start_probe" in arrays else [])):
        _require_array(arrays, name, "P N N 2", N=n)
    if any(name in arrays for name in REFINED_POSITIONS):
        count: dict[str, int] = {}
        for name in REFINED_POSITIONS:
            count["K"] = _require_array(arrays, name, "K 2", torch.float64, **count)["K"]
    found = _require_array(arrays, "golden_counts", "B C N N", N=n)
    groups = {"B": found["B"], "C": found["C"]}
    _require_array(arrays, "golden_corners", "B C 2", torch.int64, **groups)
    _require_array(arrays, "golden_fractions", "B C 2", _FLOAT, **groups)
    _require_array(arrays, "golden_mask", "N N", N=n)
    _require_array(arrays, "golden_answer", "B H W 2", B=groups["B"], H=height, W=width)
    last = torch.tensor([height - n, width - n])
    corners = arrays["golden_corners"]
    inside = bool(((corners >= 0) & (corners <= last)).all())
    _require(inside, "golden_corners", corners.flatten().tolist()[:4], "windows on the canvas")


def _require_array(
    arrays: Mapping[str, torch.Tensor],
    name: str,
    axes: str,
    dtype: torch.dtype = _FLOAT,
    **sizes: int,
) -> dict[str, int]:
    found = require_axes(name, arrays[name], axes, kind="any", **sizes)
    _require(arrays[name].dtype == dtype, name, arrays[name].dtype, str(dtype))
    _require(arrays[name].numel() > 0, name, tuple(arrays[name].shape), "something in it")
    _require(bool(torch.isfinite(arrays[name]).all()), name, "NaN or infinity", "numbers")
    return found
