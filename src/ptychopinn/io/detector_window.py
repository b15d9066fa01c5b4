"""The square about the zero frequency that is kept of every detector frame."""

from pathlib import Path

import numpy as np

from ptychopinn.errors import ConfigError
from ptychopinn.io.refusal import refusal
from ptychopinn.scan import Patterns

#: Patterns that the mean pattern is taken over.
_SAMPLE = 64
#: Light whose centre is farther from the chosen one than this share of the frame is spoken of.
_FAR = 1 / 12

Center = tuple[int, int]


#: A smaller square holds no diffraction pattern.
LEAST_SIDE = 4


def find_center(
    path: str | Path,
    patterns: Patterns,
    good: np.ndarray,
    of_file: tuple[float, float] | None,
    wanted: str,
) -> tuple[Center, list[str]]:
    """Return the pixel (row, column) of the zero frequency, and what is to be said about it.

    Args:
        path: The file, for messages.
        patterns: (K, rows, columns).
        good: (rows, columns) bool, True = good pixel.
        of_file: As the file says it.
        wanted: ``auto``, ``light`` or ``y,x``, which overrides.

    Raises:
        ConfigError: ``wanted`` is not understood.
        DataError: The centre lies outside the frame.
    """
    rows, columns = patterns.shape[1:]
    light = _light(patterns, good)
    if wanted == "light":
        chosen, why = light, "the centre of the mean pattern, as --center light asks"
    elif wanted != "auto":
        chosen, why = _two_numbers(wanted), "as --center says"
    elif of_file is not None:
        chosen, why = of_file, "as the file says"
    else:
        chosen, why = (rows // 2, columns // 2), ""
    center = (round(chosen[0]), round(chosen[1]))
    if not (0 <= center[0] < rows and 0 <= center[1] < columns):
        raise refusal(
            path,
            "centre of the patterns",
            f"{center}",
            f"a pixel of {rows} x {columns}",
            "give it with --center y,x",
        )
    said = [f"Zero frequency at pixel (y, x) = {center}, {why}."] if why else []
    away = np.abs(np.subtract(light, center)) / (rows, columns)
    if away.max() > _FAR:
        said.append(
            f"The light is centred on (y, x) = ({light[0]:.0f}, {light[1]:.0f}), the zero "
            f"frequency is taken to be at {center}; if that is wrong, say --center light or "
            "--center y,x."
        )
    return center, said


def window_about(
    path: str | Path, key: str, shape: tuple[int, int], center: Center, side: int | None
) -> tuple[slice, slice]:
    """Return rows and columns of the square with its pixel (N // 2, N // 2) at the centre.

    Args:
        path: The file, for messages.
        key: What the patterns are called in it.
        shape: Rows and columns of a frame.
        center: Row and column of the zero frequency.
        side: Side N that is wanted; None = the largest that there is.

    Raises:
        DataError: The frame has no such square.
    """
    most = min(
        max(2 * min(at, size - at), 2 * min(at, size - at - 1) + 1)
        for at, size in zip(center, shape, strict=True)
    )
    # An even side, which FFTs prefer, unless the whole frame is odd.
    n = side or (most if (most, most) == shape else most // 2 * 2)
    if n > most:
        raise refusal(
            path,
            key,
            f"frames of {shape[0]} x {shape[1]} pixels with the zero frequency at {center}",
            f"{n} x {n} pixels about it",
            f"ask for at most --crop {most}",
        )
    if n < LEAST_SIDE:
        raise refusal(
            path,
            key,
            f"frames of {shape[0]} x {shape[1]} pixels with the zero frequency at {center}",
            f"at least {LEAST_SIDE} x {LEAST_SIDE} pixels about it",
            "give the right place with --center y,x",
        )
    start = (center[0] - n // 2, center[1] - n // 2)
    return slice(start[0], start[0] + n), slice(start[1], start[1] + n)


def probe_of_cut(probe: np.ndarray, n: int) -> np.ndarray:
    """Return a probe (..., M, M) as it is on the coarser pixels of patterns cut to N x N.

    The far field is cut about its middle, as the patterns are: the same field of view on fewer
    pixels.
    """
    axes = (-2, -1)
    far = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes), norm="ortho"), axes)
    start = probe.shape[-1] // 2 - n // 2
    kept = far[..., start : start + n, start : start + n]
    wave = np.fft.ifft2(np.fft.ifftshift(kept, axes), norm="ortho")
    return np.fft.fftshift(wave, axes).astype(np.complex64)


def _two_numbers(text: str) -> tuple[float, float]:
    try:
        y, x = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(
            f"data.center: expected auto, light or y,x in pixels, got '{text}'."
        ) from error
    return y, x


def _light(patterns: Patterns, good: np.ndarray) -> tuple[float, float]:
    """Return the centre (y, x) of the brightest part of the mean pattern; the middle if dark."""
    count = len(patterns)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(int))
    mean = np.zeros(good.shape)
    for number in chosen:
        frame = np.asarray(patterns[int(number)], dtype=np.float64)
        mean += np.where(good & (frame > 0) & np.isfinite(frame), frame, 0.0)
    # One hot pixel must not be the light: no pixel counts more than the brightest few do.
    mean = np.minimum(mean, np.quantile(mean, 0.995))
    mean = np.where(mean > mean.max() / 10, mean, 0.0)
    total = mean.sum()
    if not total > 0:
        return good.shape[0] // 2, good.shape[1] // 2
    y, x = np.indices(good.shape)
    return float((y * mean).sum() / total), float((x * mean).sum() / total)
