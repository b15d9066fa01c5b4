"""Loops over the waves of a batch, compiled by numba; `fused` is what calls them.

Complex numbers are pairs of float32 along the last axis, which compilers turn into vector
instructions; complex64 arrays they do not. Nothing here checks its input. All of it is one file,
because numba's cache knows when that file has changed, not when one that it imports has.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_CANVAS, _CORNERS, _WAVES = "f4[:, ::1]", "i8[:, ::1]", "f4[:, :, :, ::1]"
_BOTH = "UniTuple(i8[:, ::1], 2)"
_AMPLITUDE, _STEP, _TRANSFORM = "f4[:, :, ::1]", "UniTuple(f4, 4)", "UniTuple(i8, 3)"
Step = tuple[np.float32, np.float32, np.float32, np.float32]
Transform = tuple[int, int, int]

#: Sums in any order; NaN and infinity stay what they are.
_FAST = {"contract", "reassoc", "arcp", "nsz"}
_inlined = numba.njit(nogil=True, error_model="numpy", fastmath=_FAST)


def _compiled(
    *arguments: str, returns: str = "void"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for arguments of these types, or find it in the cache."""
    return numba.njit(
        f"{returns}({', '.join(arguments)})",
        nogil=True,
        cache=True,
        error_model="numpy",
        fastmath=_FAST,
    )


@intrinsic
def _transform(_: Any, call: types.Integer, plan: types.Integer, data: types.Integer) -> Any:
    """Call ``long call(void *plan, void *data, ...)`` at an address; see `mkl_transform`."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.IntType(64), [pointer, pointer], var_arg=True)
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        return builder.call(function, [builder.inttoptr(a, pointer) for a in arguments[1:]])

    return types.int64(call, plan, data), code


#: Called from compiled code with three numbers; checkers see the function that writes such code.
_transformed: Any = _transform


@_inlined
def _light_window(
    canvas: np.ndarray, corner: np.ndarray, probes: np.ndarray, waves: np.ndarray
) -> None:
    """Fill waves[p] = probes[p] * the window of the canvas that begins at a corner."""
    y, x = corner[0], 2 * corner[1]
    modes, n, _ = waves.shape
    for p in range(modes):
        for i in range(n):
            seen = canvas[y + i, x : x + 2 * n]
            probe = probes[p, i]
            wave = waves[p, i]
            for j in range(n):
                a, b = seen[2 * j], seen[2 * j + 1]
                c, d = probe[2 * j], probe[2 * j + 1]
                wave[2 * j] = a * c - b * d
                wave[2 * j + 1] = a * d + b * c


@_inlined
def _move_pattern(
    spectrum: np.ndarray,
    amplitude: np.ndarray,
    good: np.ndarray,
    step: Step,
    change: np.ndarray,
) -> None:
    """Multiply the spectrum of a pattern by the relative change of its moduli."""
    modes, n, _ = spectrum.shape
    area = np.float32(n * n)
    scale, offset, bound, floor = step
    scale, bound = scale / area, bound / area
    for i in range(n):
        change[:] = floor * area
        for p in range(modes):
            wave = spectrum[p, i]
            for j in range(n):
                change[j] += wave[2 * j] * wave[2 * j] + wave[2 * j + 1] * wave[2 * j + 1]
        measured, known = amplitude[i], good[i]
        for j in range(n):
            quotient = area * measured[j] * measured[j] / change[j]
            change[j] = (scale * np.sqrt(quotient + offset) - bound) * known[j]
        for p in range(modes):
            wave = spectrum[p, i]
            for j in range(n):
                wave[2 * j] *= change[j]
                wave[2 * j + 1] *= change[j]


@_inlined
def _add_window(
    waves: np.ndarray, probes: np.ndarray, corner: np.ndarray, total: np.ndarray
) -> None:
    """Add conj(probes[p]) * waves[p] to the window of the total that begins at a corner."""
    y, x = corner[0], 2 * corner[1]
    modes, n, _ = waves.shape
    for p in range(modes):
        for i in range(n):
            sums = total[y + i, x : x + 2 * n]
            probe = probes[p, i]
            wave = waves[p, i]
            for j in range(n):
                a, b = wave[2 * j], wave[2 * j + 1]
                c, d = probe[2 * j], probe[2 * j + 1]
                sums[2 * j] += c * a + d * b
                sums[2 * j + 1] += c * b - d * a


@_inlined
def _moved(  # noqa: PLR0913, PLR0917
    canvas: np.ndarray,
    corner: np.ndarray,
    amplitude: np.ndarray,
    probes: np.ndarray,
    good: np.ndarray,
    step: Step,
    transform: Transform,
    wave: np.ndarray,
    change: np.ndarray,
) -> int:
    """Fill wave with what the data step adds to the exit waves of one pattern; 0 where all is well.

    change is memory for a row.
    """
    forward, backward, plan = transform
    _light_window(canvas, corner, probes, wave)
    said = _transformed(forward, plan, wave.ctypes.data)
    _move_pattern(wave, amplitude, good, step, change)
    return said | _transformed(backward, plan, wave.ctypes.data)


@_inlined
def _rates_and_slopes(
    spectrum: np.ndarray,
    moved: tuple[np.ndarray, np.ndarray],
    i: int,
    scale: np.float32,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Add scale * sum_p |s|^2 and 2 scale * Re sum_p conj(s) m, of row i, to rates and slopes."""
    rate, along_y, along_x = rows
    for p in range(len(spectrum)):
        for j in range(len(rate)):
            a, b = spectrum[p, i, 2 * j], spectrum[p, i, 2 * j + 1]
            rate[j] += scale * (a * a + b * b)
            along_y[j] += 2 * scale * (a * moved[0][p, i, 2 * j] + b * moved[0][p, i, 2 * j + 1])
            along_x[j] += 2 * scale * (a * moved[1][p, i, 2 * j] + b * moved[1][p, i, 2 * j + 1])


@_inlined
def _weigh(
    rate: np.ndarray,
    along_y: np.ndarray,
    along_x: np.ndarray,
    amplitude: np.ndarray,
    good: np.ndarray,
    dark: np.float32,
) -> None:
    """Turn rates into errors over their root, and slopes of rates into slopes of roots."""
    for j in range(len(rate)):
        root = good[j] / np.sqrt(rate[j])
        along_y[j] *= root
        along_x[j] *= root
        rate[j] = good[j] * (amplitude[j] * amplitude[j] - rate[j]) / np.sqrt(rate[j] + dark)


@_inlined
def _dot(one: np.ndarray, other: np.ndarray) -> np.float32:
    """Return the sum of products."""
    total = np.float32(0)
    for j in range(len(one)):
        total += one[j] * other[j]
    return total


@_inlined
def _tilt(waves: np.ndarray, along_y: np.ndarray, along_x: np.ndarray) -> None:
    """Fill two arrays with waves times i (y - N // 2) and i (x - N // 2)."""
    modes, n, _ = waves.shape
    for p in range(modes):
        for i in range(n):
            y = np.float32(i - n // 2)
            for j in range(n):
                x = np.float32(j - n // 2)
                a, b = waves[p, i, 2 * j], waves[p, i, 2 * j + 1]
                along_y[p, i, 2 * j], along_y[p, i, 2 * j + 1] = -y * b, y * a
                along_x[p, i, 2 * j], along_x[p, i, 2 * j + 1] = -x * b, x * a


@_compiled("f4[:, :, ::1]", _CANVAS, _CANVAS, _TRANSFORM, _WAVES, returns="i8")
def move_probes(
    spectrum: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    transform: Transform,
    probes: np.ndarray,
) -> int:
    """Fill probes[k] with the probe where pattern k has it: F^-1[spectrum * rows[k] * columns[k]].

    Args:
        spectrum: (P, N, 2 N) float32, of the probe, over N^2.
        rows: (K, 2 N) float32, `probe.phase_ramps` along rows.
        columns: (K, 2 N) float32, those along columns.
        transform: A `mkl_transform.MklTransform`.
        probes: (K, P, N, 2 N) float32, filled.

    Returns:
        0, or what a transform that failed said.
    """
    modes, n, _ = spectrum.shape
    _, backward, plan = transform
    said = 0
    for k in range(len(probes)):
        ramp = columns[k]
        for i in range(n):
            a, b = rows[k, 2 * i], rows[k, 2 * i + 1]
            for p in range(modes):
                before = spectrum[p, i]
                after = probes[k, p, i]
                for j in range(n):
                    c, d = ramp[2 * j], ramp[2 * j + 1]
                    e, f = a * c - b * d, a * d + b * c
                    c, d = before[2 * j], before[2 * j + 1]
                    after[2 * j] = e * c - f * d
                    after[2 * j + 1] = e * d + f * c
        said |= _transformed(backward, plan, probes[k].ctypes.data)
    return said


@_compiled(_CANVAS, _CORNERS, _WAVES, _TRANSFORM, _AMPLITUDE, returns="i8")
def predict_rates(
    canvas: np.ndarray,
    corners: np.ndarray,
    probes: np.ndarray,
    transform: Transform,
    rates: np.ndarray,
) -> int:
    """Fill rates[k] with the photons that pattern k should have, zero frequency in the corner.

    Args:
        canvas: (H, 2 W) float32.
        corners: (K, 2) int64.
        probes: (K, P, N, 2 N) float32.
        transform: A `mkl_transform.MklTransform`.
        rates: (K, N, N) float32, filled.

    Returns:
        0, or what a transform that failed said.
    """
    wave = np.empty(probes.shape[1:], np.float32)
    modes, n = probes.shape[1], probes.shape[2]
    forward, _, plan = transform
    scale = np.float32(1 / n**2)
    said = 0
    for k in range(len(probes)):
        _light_window(canvas, corners[k], probes[k], wave)
        said |= _transformed(forward, plan, wave.ctypes.data)
        for i in range(n):
            for j in range(n):
                rates[k, i, j] = 0
            for p in range(modes):
                for j in range(n):
                    a, b = wave[p, i, 2 * j], wave[p, i, 2 * j + 1]
                    rates[k, i, j] += scale * (a * a + b * b)
    return said


@_compiled(
    *(_CANVAS, _CORNERS, _AMPLITUDE, _WAVES, _CANVAS, "UniTuple(f4, 2)", _TRANSFORM),
    "f8[:, ::1]",
    returns="i8",
)
def ask_slopes(
    canvas: np.ndarray,
    corners: np.ndarray,
    amplitude: np.ndarray,
    probes: np.ndarray,
    good: np.ndarray,
    floors: tuple[np.float32, np.float32],
    transform: Transform,
    answers: np.ndarray,
) -> int:
    """Fill the equations of `linearised.slope_equations`.

    Args:
        canvas: (H, 2 W) float32.
        corners: (K, 2) int64.
        amplitude: (K, N, N) float32, square root of the counts.
        probes: (K, P, N, 2 N) float32.
        good: (N, N) float32, 1 = good, 0 = bad.
        floors: What is added to rates, and to the variance of the counts.
        transform: A `mkl_transform.MklTransform`.
        answers: (K, 6) float64, filled: gradient y, x; normal yy, yx, xx; misfit.

    Returns:
        0, or what a transform that failed said.
    """
    # Scalars and arrays of their own: slices of one array take four times as long to compile.
    shape, n = probes.shape[1:], probes.shape[2]
    waves, tilted_y = np.empty(shape, np.float32), np.empty(shape, np.float32)
    tilted_x = np.empty(shape, np.float32)
    rate, along_y = np.empty(n, np.float32), np.empty(n, np.float32)
    along_x = np.empty(n, np.float32)
    forward, _, plan = transform
    said = 0
    for k in range(len(probes)):
        _light_window(canvas, corners[k], probes[k], waves)
        _tilt(waves, tilted_y, tilted_x)
        said |= _transformed(forward, plan, waves.ctypes.data)
        said |= _transformed(forward, plan, tilted_y.ctypes.data)
        said |= _transformed(forward, plan, tilted_x.ctypes.data)
        gy = gx = yy = yx = xx = left = np.float64(0)
        for i in range(n):
            rate[:], along_y[:], along_x[:] = floors[0], 0, 0
            rows = (rate, along_y, along_x)
            _rates_and_slopes(waves, (tilted_y, tilted_x), i, np.float32(1 / n**2), rows)
            _weigh(rate, along_y, along_x, amplitude[k, i], good[i], floors[1])
            gy, gx = gy + _dot(along_y, rate), gx + _dot(along_x, rate)
            yy, xx = yy + _dot(along_y, along_y), xx + _dot(along_x, along_x)
            yx, left = yx + _dot(along_y, along_x), left + _dot(rate, rate)
        answers[k, 0], answers[k, 1] = gy, gx
        answers[k, 2], answers[k, 3], answers[k, 4] = yy, yx, xx
        answers[k, 5] = left
    return said


@_compiled(_WAVES, _CORNERS, _CANVAS)
def add_light(probes: np.ndarray, corners: np.ndarray, total: np.ndarray) -> None:
    """Add sum_p |probes[k, p]|^2 to window k of the total.

    Args:
        probes: (K, P, N, 2 N) float32.
        corners: (K, 2) int64.
        total: (H, W) float32, added to in place.
    """
    patterns, modes, n, _ = probes.shape
    for k in range(patterns):
        y, x = corners[k]
        for p in range(modes):
            for i in range(n):
                sums = total[y + i, x : x + n]
                probe = probes[k, p, i]
                for j in range(n):
                    sums[j] += probe[2 * j] * probe[2 * j] + probe[2 * j + 1] * probe[2 * j + 1]


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
    for k in range(len(waves)):
        _light_window(canvas, corners[k], probes[k], waves[k])


@_compiled(_WAVES, _AMPLITUDE, _CANVAS, _STEP)
def move_moduli(
    spectrum: np.ndarray,
    amplitude: np.ndarray,
    good: np.ndarray,
    step: Step,
) -> None:
    """Multiply spectra by the relative change of their moduli; see `projection.ModulusStep`.

    The transforms on both sides of it leave out their factors of 1/N, each of which would cost a
    pass; they are made good here.

    Args:
        spectrum: (K, P, N, 2 N) float32, N times the orthonormal one, changed in place.
        amplitude: (K, N, N) float32, square root of the counts.
        good: (N, N) float32, 1 = good, 0 = bad.
        step: scale, offset, bound and floor of the step.
    """
    change = np.empty(spectrum.shape[2], np.float32)
    for k in range(len(spectrum)):
        _move_pattern(spectrum[k], amplitude[k], good, step, change)


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
    for k in range(len(waves)):
        _add_window(waves[k], probes[k], corners[k], total)


@_compiled(_CANVAS, _CORNERS, _AMPLITUDE, _WAVES, _CANVAS, _STEP, _TRANSFORM, _WAVES, returns="i8")
def move_waves(
    canvas: np.ndarray,
    corners: np.ndarray,
    amplitude: np.ndarray,
    probes: np.ndarray,
    good: np.ndarray,
    step: Step,
    transform: Transform,
    waves: np.ndarray,
) -> int:
    """Fill waves[k] with what the data step adds to the exit waves of pattern k.

    `light_windows`, a transform, `move_moduli` and the transform back, one pattern after the other.

    Args:
        canvas: As for these, as all that is not said here.
        corners: See there.
        amplitude: See there.
        probes: See there.
        good: See there.
        step: See there.
        transform: A `mkl_transform.MklTransform`.
        waves: (K, P, N, 2 N) float32, filled.

    Returns:
        0, or what a transform that failed said.
    """
    change = np.empty(probes.shape[2], np.float32)
    said = 0
    for k in range(len(probes)):
        said |= _moved(
            canvas, corners[k], amplitude[k], probes[k], good, step, transform, waves[k], change
        )
    return said


@_compiled(_CANVAS, _BOTH, _AMPLITUDE, _WAVES, _CANVAS, _STEP, _TRANSFORM, _CANVAS, returns="i8")
def add_update(
    canvas: np.ndarray,
    corners: tuple[np.ndarray, np.ndarray],
    amplitude: np.ndarray,
    probes: np.ndarray,
    good: np.ndarray,
    step: Step,
    transform: Transform,
    total: np.ndarray,
) -> int:
    """Add what every pattern asks of the object: `move_waves` and `add_back_projected` in one.

    The waves of a pattern never leave the cache.

    Args:
        canvas: As for these, as all that is not said here.
        corners: On the canvas and on the total.
        amplitude: See there.
        probes: See there.
        good: See there.
        step: See there.
        transform: See there.
        total: (h, 2 W) float32, added to in place.

    Returns:
        0, or what a transform that failed said.
    """
    seen, added = corners
    wave = np.empty(probes.shape[1:], np.float32)
    change = np.empty(probes.shape[2], np.float32)
    said = 0
    for k in range(len(probes)):
        said |= _moved(
            canvas, seen[k], amplitude[k], probes[k], good, step, transform, wave, change
        )
        _add_window(wave, probes[k], added[k], total)
    return said
