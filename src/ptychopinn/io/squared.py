"""Whole detector frames become square patterns about their zero frequency, metres become pixels."""

import math
from dataclasses import replace

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.detector_window import find_center, probe_of_cut, window_about
from ptychopinn.io.file_map import FileMap, parse_map
from ptychopinn.io.frame import Frame, frame_of_object, frame_of_scan
from ptychopinn.io.frame_view import FrameView
from ptychopinn.io.geometry import LENGTHS_M
from ptychopinn.io.measurement_record import Measurement, Stage
from ptychopinn.io.refusal import refusal
from ptychopinn.io.stage_positions import to_pixels
from ptychopinn.io.stored_patterns import turned
from ptychopinn.scan import canvas_covering


def squared(found: Measurement, data: DataConfig) -> Measurement:
    """Return a measurement with square patterns and with positions in pixels.

    The largest square about the zero frequency is kept of a frame; what is square about its middle
    stays as it is.

    Args:
        found: Of whole frames, and positions in pixels or in metres.
        data: `center` overrides where the zero frequency is.
    """
    rows, columns = found.patterns.shape[1:]
    given = data.center != "auto" or found.center is not None
    if given or rows != columns:
        found = _about_center(found, data)
    return found if found.stage is None else _placed(found, found.stage, parse_map(data.map))


def cropped(found: Measurement, data: DataConfig) -> Measurement:
    """Return a measurement whose patterns have `data.crop` pixels a side, about their middle.

    Object pixels grow in proportion; positions, which count them, shrink.
    """
    n = found.patterns.shape[-1]
    if data.crop is None or data.crop == n:
        return found
    window = window_about(found.path, found.patterns_key, (n, n), (n // 2, n // 2), data.crop)
    said = f"The patterns are cut to {data.crop} x {data.crop} of {n} x {n} pixels."
    return _cut(found, window, [said])


def _about_center(found: Measurement, data: DataConfig) -> Measurement:
    rows, columns = found.patterns.shape[1:]
    shape = (rows, columns)
    good = np.ones(shape, bool) if found.marked is None else ~found.marked
    center, said = find_center(found.path, found.patterns, good, found.center, data.center)
    window = window_about(found.path, found.patterns_key, shape, center, None)
    n = window[0].stop - window[0].start
    found = replace(found, center=None)
    if (n, n) == shape:
        return replace(found, decisions=(*found.decisions, *said))
    said.append(f"The {rows} x {columns} frames are cut to {n} x {n} about {center}.")
    return _cut(found, window, said)


def _cut(found: Measurement, window: tuple[slice, slice], said: list[str]) -> Measurement:
    """Keep rows and columns of every frame; what counts object pixels follows."""
    rows, columns = found.patterns.shape[1:]
    view = FrameView((rows, columns)).cut(*window)
    n, before = view.pattern_shape[0], found.patterns.shape[-1]
    probe, pixel = found.probe, found.pixel_size_m
    if probe is not None and probe.shape[-1] == before:
        probe = probe_of_cut(probe, n)
    return replace(
        found,
        patterns=turned(found.patterns, view),
        marked=None if found.marked is None else found.marked[window],
        probe=probe,
        frame=None if found.frame is None else _coarser(found.frame, n / before, n),
        truth=None,
        pixel_size_m=None if pixel is None else pixel * before / n,
        decisions=(*found.decisions, *said),
    )


def _coarser(frame: Frame, factor: float, n: int) -> Frame:
    made = frame_of_scan(frame.positions_px * factor, n)
    return made._replace(decisions=[*frame.decisions, *made.decisions])


def _placed(found: Measurement, stage: Stage, said_map: FileMap) -> Measurement:
    """Return the measurement with the positions of its stage in pixels of a canvas."""
    n = found.patterns.shape[-1]
    pixels_m = stage.geometry.pixel_sizes_m(n)
    unit = said_map.word("position_unit", "m")
    if unit == "px":
        positions, said = stage.positions_m, f"{stage.key} are pixels, as --map says."
    elif pixels_m is None:
        raise _no_pixel(found, stage)
    else:
        unit_m = LENGTHS_M[unit]
        positions = to_pixels(found.path, stage.key, stage.positions_m, unit_m, pixels_m, n)
        what = "metres" if unit == "m" else f"{unit}, as --map says"
        said = f"{stage.key} are {what}; {_described(pixels_m)}."
    known = pixels_m is not None and stage.pixel_known
    return replace(
        found,
        frame=_frame(found, stage, positions, n),
        stage=None,
        pixel_size_m=pixels_m[1] if pixels_m and known else None,
        wavelength_m=stage.geometry.wavelength_m if stage.wavelength_known else None,
        decisions=(*found.decisions, said),
    )


def _described(pixels_m: tuple[float, float]) -> str:
    height, width = pixels_m
    if math.isclose(height, width, rel_tol=1e-3):
        return f"an object pixel is {width:.5g} m"
    return f"an object pixel is {height:.5g} m high and {width:.5g} m wide"


def _no_pixel(found: Measurement, stage: Stage) -> Exception:
    unknown = stage.geometry.unknown
    return refusal(
        found.path,
        stage.key,
        f"positions in metres without {' and '.join(unknown)}",
        "energy, distance and detector pixel, which tell the size of an object pixel",
        f'add --map "{" ".join(f"{name}=VALUE" for name in unknown)}"',
    )


def _frame(found: Measurement, stage: Stage, positions_px: np.ndarray, n: int) -> Frame:
    """Return the canvas that the file names, or one about the scan."""
    if stage.origin_px is not None and stage.canvas_shape is not None:
        placed = positions_px + np.array(stage.origin_px)
        return frame_of_object(found.path, stage.key, placed, n, stage.canvas_shape)
    moved = positions_px - positions_px.min(axis=0) + n // 2
    return Frame(moved, canvas_covering(moved, n), False, [])
