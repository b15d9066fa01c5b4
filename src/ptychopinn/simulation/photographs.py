"""Photographs that come inside scikit-image, brought to any size; nothing is downloaded."""

from pathlib import Path

import numpy as np
from skimage import data, io, transform

from ptychopinn.errors import DataError

#: Grey pictures in every scikit-image wheel, chosen for structure over the whole frame.
NAMES = ("camera", "coins", "page", "text", "brick", "grass", "gravel", "moon", "cell")
#: A picture is enlarged no more than this; beyond, it is continued by mirror images.
LARGEST_ZOOM = 2.0


def photographs(shape: tuple[int, int], rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Return ``count`` different photographs, each (H, W) float64 in [0, 1].

    Each is resized until it just covers the canvas, mirrored at its edges where that would
    enlarge it too much, and cut at a random place.

    Raises:
        DataError: A picture is missing from the installed scikit-image.
    """
    chosen = rng.choice(NAMES, size=count, replace=False)
    return [_cut(_cover(_read(str(name)), shape), shape, rng) for name in chosen]


def _read(name: str) -> np.ndarray:
    """Read a bundled file by its path, because ``skimage.data.camera()`` may download it."""
    path = Path(data.__file__).parent / f"{name}.png"
    if not path.is_file():
        raise DataError(
            f"simulation.object: the photograph {path} is missing; reinstall scikit-image, or "
            "choose another object."
        )
    return np.asarray(io.imread(path), dtype=np.float64) / 255


def _cover(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize so that the image covers the shape, and mirror what is still missing."""
    zoom = min(max(shape[0] / image.shape[0], shape[1] / image.shape[1]), LARGEST_ZOOM)
    size = [max(1, round(zoom * side)) for side in image.shape]
    resized = transform.resize(image, size, anti_aliasing=zoom < 1)
    missing = [(0, max(0, side - have)) for side, have in zip(shape, size, strict=True)]
    return np.pad(resized, missing, mode="symmetric")


def _cut(image: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    y, x = (
        int(rng.integers(have - want + 1)) for have, want in zip(image.shape, shape, strict=True)
    )
    return image[y : y + shape[0], x : x + shape[1]]
