"""Loops over the waves of a batch, compiled by numba; `fused` is what calls them.

Complex numbers are pairs of float32 along the last axis, which compilers turn into vector
instructions; complex64 arrays they do not. Nothing here checks its input.
"""

from collections.abc import Callable

import numba
import numpy as np

_CANVAS, _CORNERS, _WAVES = "f4[:, ::1]", "i8[:, ::1]", "f4[:, :, :, ::1]"


def _compiled(*arguments: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile a function for arguments of these types, or find it in the cache."""
    return numba.njit(
        f"void({', '.join(arguments)})",
        nogil=True,
        cache=True,
        error_model="numpy",
        # Sums in any order; NaN and infinity stay what they are.
        fastmath={"contract", "reassoc", "arcp", "nsz"},
    )


@_compiled(_CANVAS, _CORNERS, _WAVES, _WAVES)
def light_windows(
    canvas: np.ndarray, corners: np.ndarray, probes: np.ndarray, waves: np.ndarray
) -> None:
    """Fill waves[k, p] = probes[k, p] * window k of the canvas.

    Args:
        canvas: (H, 2 W) float32.
        corners: (K, 2) int64.
        probes: (K, P, N, 2 N) float32.
        waves: (K, P, N, 2 N) float32, filled.
    """
    patterns, modes, n, _ = waves.shape
    for k in range(patterns):
        y, x = corners[k, 0], 2 * corners[k, 1]
        for p in range(modes):
            for i in range(n):
                seen = canvas[y + i, x : x + 2 * n]
                probe = probes[k, p, i]
                wave = waves[k, p, i]
                for j in range(n):
                    a, b = seen[2 * j], seen[2 * j + 1]
                    c, d = probe[2 * j], probe[2 * j + 1]
                    wave[2 * j] = a * c - b * d
                    wave[2 * j + 1] = a * d + b * c


@_compiled(_WAVES, "f4[:, :, ::1]", _CANVAS, "f4", "f4", "f4", "f4")
def move_moduli(
    spectrum: np.ndarray,
    amplitude: np.ndarray,
    good: np.ndarray,
    scale: np.float32,
    offset: np.float32,
    bound: np.float32,
    floor: np.float32,
) -> None:
    """Multiply spectra by the relative change of their moduli; see `projection.ModulusStep`.

    The transforms on both sides of it leave out their factors of 1/N, each of which would cost a
    pass; they are made good here.

    Args:
        spectrum: (K, P, N, 2 N) float32, N times the orthonormal one, changed in place.
        amplitude: (K, N, N) float32, square root of the counts.
        good: (N, N) float32, 1 = good, 0 = bad.
        scale: Of the step, as the next three.
        offset: See there.
        bound: See there.
        floor: See there.
    """
    patterns, modes, n, _ = spectrum.shape
    change = np.empty(n, np.float32)
    area = np.float32(n * n)
    scale, bound = scale / area, bound / area
    for k in range(patterns):
        for i in range(n):
            change[:] = floor * area
            for p in range(modes):
                wave = spectrum[k, p, i]
                for j in range(n):
                    change[j] += wave[2 * j] * wave[2 * j] + wave[2 * j + 1] * wave[2 * j + 1]
            measured, known = amplitude[k, i], good[i]
            for j in range(n):
                quotient = area * measured[j] * measured[j] / change[j]
                change[j] = (scale * np.sqrt(quotient + offset) - bound) * known[j]
            for p in range(modes):
                wave = spectrum[k, p, i]
                for j in range(n):
                    wave[2 * j] *= change[j]
                    wave[2 * j + 1] *= change[j]


@_compiled(_WAVES, _WAVES, _CORNERS, _CANVAS)
def add_back_projected(
    waves: np.ndarray, probes: np.ndarray, corners: np.ndarray, total: np.ndarray
) -> None:
    """Add conj(probes[k, p]) * waves[k, p] to window k of the total.

    Args:
        waves: (K, P, N, 2 N) float32.
        probes: (K, P, N, 2 N) float32.
        corners: (K, 2) int64.
        total: (H, 2 W) float32, added to in place.
    """
    patterns, modes, n, _ = waves.shape
    for k in range(patterns):
        y, x = corners[k, 0], 2 * corners[k, 1]
        for p in range(modes):
            for i in range(n):
                sums = total[y + i, x : x + 2 * n]
                probe = probes[k, p, i]
                wave = waves[k, p, i]
                for j in range(n):
                    a, b = wave[2 * j], wave[2 * j + 1]
                    c, d = probe[2 * j], probe[2 * j + 1]
                    sums[2 * j] += c * a + d * b
                    sums[2 * j + 1] += c * b - d * a
