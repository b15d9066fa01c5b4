"""The two nouns, `Scan` and `Reconstruction`, and the batch that the physics works on."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
import torch

from ptychopinn.axes import require_axes
from ptychopinn.errors import DataError

#: A canvas with more pixels than this is a sign of positions in the wrong unit.
LARGEST_CANVAS_PX = 2**30


#: Patterns are gone through in blocks of about this size, in bytes.
BLOCK_BYTES = 32 * 2**20


class Patterns(Protocol):
    """Patterns (K, N, N) in memory or on disk; NumPy arrays are, and `StoredPatterns` of `io`.

    ``patterns[first, rows, columns]`` gives an array in memory: the first index is an integer, a
    slice, booleans or integers in any order; the others, which may be left out, are slices. Only
    what is asked for is read.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(K, N, N)."""

    @property
    def ndim(self) -> int:
        """3."""

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel."""

    @property
    def nbytes(self) -> int:
        """Bytes that all patterns take in memory."""

    def __len__(self) -> int:
        """Return K."""

    def __getitem__(self, key: Any, /) -> Any:
        """Read patterns."""


@runtime_checkable
class OnDisk(Protocol):
    """Patterns that choose among themselves without being read."""

    def select(self, indices: np.ndarray) -> Patterns:
        """Return these patterns, in this order, still on disk."""


def pattern_blocks(
    patterns: Patterns, nbytes: int = BLOCK_BYTES
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of patterns that follow each other, with their place; one is in memory at once.

    Args:
        patterns: (K, N, N), in memory or on disk.
        nbytes: Size of a block; at least one pattern.
    """
    count = len(patterns)
    step = max(1, nbytes * count // max(1, patterns.nbytes))
    for start in range(0, count, step):
        place = slice(start, min(start + step, count))
        yield place, np.asarray(patterns[place])


def canvas_covering(positions_px: np.ndarray, n: int) -> tuple[int, int]:
    """Return the canvas (H, W) whose centre is the centre of the scan.

    Per axis the size is ``round(2 * mid + 1)`` with ``mid = (min + max) / 2``, so that the middle
    of the array is the middle of the scan (the frame of the Ptychodus product), enlarged where a
    window of N pixels would not fit otherwise.
    """
    low, high = positions_px.min(axis=0), positions_px.max(axis=0)
    symmetric = np.round(low + high + 1)
    needed = np.floor(high) - n // 2 + n
    height, width = np.maximum(symmetric, needed).astype(np.int64)
    return int(height), int(width)


#: What is said of the kinds of bad pixels, in the order in which a pixel is given to one.
BAD_PIXEL_KINDS = {
    "marked": "marked",
    "faulty": "NaN, infinite or negative",
    "saturated": "saturated",
    "hot": "hot",
    "dead": "dead",
}


@dataclass(frozen=True)
class BadPixels:
    """Which detector pixels count for nothing, and why."""

    kinds: dict[str, np.ndarray]
    """(N, N) bool, True = bad, by kind (`BAD_PIXEL_KINDS`); no pixel is in two of them."""

    @property
    def mask(self) -> np.ndarray:
        """(N, N) bool, True = good detector pixel."""
        return ~np.logical_or.reduce(list(self.kinds.values()))

    @property
    def counts(self) -> dict[str, int]:
        """Number of pixels of each kind that there is."""
        known = [kind for kind in BAD_PIXEL_KINDS if kind in self.kinds]
        return {kind: int(self.kinds[kind].sum()) for kind in known if self.kinds[kind].any()}

    def describe(self) -> str:
        """Return how many there are of each kind, as ``3 hot, 12 dead``."""
        return ", ".join(f"{number} {BAD_PIXEL_KINDS[k]}" for k, number in self.counts.items())


@dataclass(frozen=True)
class Scan:
    """What was measured: diffraction patterns, where the probe stood, and the probe itself.

    Construction checks that the arrays belong together; it never copies or reads the patterns, so
    that they may live on disk.
    """

    patterns: Patterns
    """(K, N, N) real, zero frequency in the middle; counts, or their square root (see domain)."""
    positions_px: np.ndarray
    """(K, 2) float64, (y, x) of the window's centre pixel (index N // 2) on the canvas."""
    probe: np.ndarray
    """(P, N, N) complex64, incoherent modes; any power, `physics.gauge` scales it."""
    mask: np.ndarray
    """(N, N) bool, True = good detector pixel."""
    canvas_shape: tuple[int, int]
    """(H, W) of the object canvas that the positions index."""
    domain: str = "counts"
    """``counts`` or ``amplitude``: what `patterns` holds."""
    truth: np.ndarray | None = None
    """(H, W) complex64 object, when it is known."""
    pixel_size_m: float | None = None
    """Side of a canvas pixel in metres, when known."""
    wavelength_m: float | None = None
    """Wavelength in metres, when known."""
    name: str = "scan"
    """Where the scan came from, for messages."""
    decisions: tuple[str, ...] = field(default=())
    """Sentences that say what the reader decided; shown to the user."""
    bad_pixels: BadPixels | None = None
    """Why the pixels that `mask` leaves out are bad; None when nobody looked."""
    scan_index: np.ndarray | None = None
    """(K,) integers, which of several scans on this canvas a pattern belongs to; None = it is one.
    Patterns of different scans never share a group."""

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        sizes = require_axes(f"{self.name}: patterns", self.patterns, "K N N", kind="real")
        require_axes(f"{self.name}: positions", self.positions_px, "K 2", kind="real", K=sizes["K"])
        require_axes(f"{self.name}: probe", self.probe, "P N N", kind="complex", N=sizes["N"])
        require_axes(f"{self.name}: mask", self.mask, "N N", N=sizes["N"])
        if self.truth is not None:
            require_axes(f"{self.name}: truth", self.truth, "H W", kind="complex")
        if self.scan_index is not None:
            name = f"{self.name}: scan_index"
            require_axes(name, self.scan_index, "K", kind="real", K=sizes["K"])
        self._require_positions_on_canvas()

    def _require_positions_on_canvas(self) -> None:
        if not np.isfinite(self.positions_px).all():
            raise DataError(
                f"{self.name}: positions: found NaN or infinity at pattern "
                f"{int(np.argwhere(~np.isfinite(self.positions_px))[0, 0])}, wanted finite pixels; "
                "remove those patterns or repair the positions."
            )
        start = np.floor(self.positions_px) - self.n // 2
        outside = (start < 0) | (start + self.n > np.asarray(self.canvas_shape))
        if outside.any():
            k = int(np.argwhere(outside)[0, 0])
            y, x = self.positions_px[k]
            raise DataError(
                f"{self.name}: positions: pattern {k} at (y, x) = ({y:.1f}, {x:.1f}) px puts its "
                f"{self.n} px window outside the {self.canvas_shape[0]} x {self.canvas_shape[1]} "
                "canvas; check the unit (pixels wanted) and the origin of the positions."
            )

    @property
    def n(self) -> int:
        """Side N of a diffraction pattern."""
        return int(self.patterns.shape[-1])

    @property
    def n_patterns(self) -> int:
        """Number K of patterns."""
        return int(self.patterns.shape[0])

    @property
    def n_modes(self) -> int:
        """Number P of incoherent probe modes."""
        return int(self.probe.shape[0])

    @property
    def fewest_patterns(self) -> int:
        """Number of patterns of the smallest of its scans; K where it is one."""
        if self.scan_index is None:
            return self.n_patterns
        return int(np.unique(self.scan_index, return_counts=True)[1].min())

    def counts(self, indices: Any = slice(None)) -> np.ndarray:
        """Read patterns as float32 photon counts (cast first, square after); bad pixels are 0."""
        values = np.array(self.patterns[indices], dtype=np.float32)
        if self.domain == "amplitude":
            values = values * values
        return values if self.mask.all() else np.where(self.mask, values, np.float32(0))

    def select(self, indices: np.ndarray) -> Self:
        """Return the scan with these patterns only, on the same canvas."""
        chosen = np.asarray(indices)
        patterns = self.patterns
        kept = patterns.select(chosen) if isinstance(patterns, OnDisk) else patterns[chosen]
        index = None if self.scan_index is None else self.scan_index[chosen]
        return replace(
            self, patterns=kept, positions_px=self.positions_px[chosen], scan_index=index
        )


@dataclass(frozen=True)
class PatternFit:
    """What was measured against what an image predicts: over the scan and over the detector.

    Kept with the image, so that a report can be drawn without the patterns.
    """

    numbers: np.ndarray
    """(J,) int64, the patterns that were judged, ascending."""
    deviance: np.ndarray
    """(J,) float32 Poisson deviance of each, mean over the good pixels."""
    expected: np.ndarray
    """(J,) float32 deviance that photon noise alone would leave at the predicted counts."""
    held_out: bool
    """True when no pattern was predicted from an image that was made from it."""
    detector_deviance: np.ndarray
    """(N, N) float32 Poisson deviance of each pixel, mean over the patterns; 0 where bad."""
    mean_counts: np.ndarray
    """(N, N) float32 measured photons of each pixel, mean over the patterns; 0 where bad."""
    shown: np.ndarray
    """(M,) int64, numbers of a few patterns that are kept, from the best explained to the worst."""
    measured: np.ndarray
    """(M, N, N) float32 photons of these."""
    predicted: np.ndarray
    """(M, N, N) float32 photons that the image predicts for them."""
    bad_pixels: BadPixels | None = None
    """Which pixels count for nothing, and why; None = all are good."""

    @property
    def ratio(self) -> np.ndarray:
        """(J,) deviance over what photon noise alone would leave: 1 = nothing but noise."""
        return self.deviance / np.maximum(self.expected, 1e-12)


@dataclass(frozen=True)
class Reconstruction:
    """One complex image with everything needed to place it, judge it and repeat it."""

    object: np.ndarray
    """(H, W) complex64 on the canvas of the scan's positions; 0 where nothing was lit."""
    coverage: np.ndarray
    """(H, W) float32, illumination sum of |P|^2 over the scan, as a share of its maximum."""
    probe: np.ndarray
    """(P, N, N) complex64 in sqrt(photons) per pixel."""
    positions_px: np.ndarray
    """(K, 2) float64 (y, x) of the window's centre pixel (index N // 2) on the canvas."""
    losses: np.ndarray
    """(E,) float64 training loss of every epoch; empty when nothing was trained."""
    pixel_size_m: float | None = None
    """Side of a canvas pixel in metres, when known."""
    wavelength_m: float | None = None
    """Wavelength in metres, when known."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Versions, command, settings and timings; plain JSON values."""
    quality: dict[str, float] = field(default_factory=dict)
    """Figures that need no truth: held-out excess deviance, half-data FRC."""
    amplitude_std: np.ndarray | None = None
    """(H, W) float32 standard deviation of the amplitude, NaN where it is not known."""
    phase_std: np.ndarray | None = None
    """(H, W) float32 standard deviation of the phase in rad, NaN where it is not known."""
    start_probe: np.ndarray | None = None
    """(P, N, N) complex64 before it was refined; None = it was not."""
    start_positions_px: np.ndarray | None = None
    """(K, 2) float64 before they were refined; None = they were not."""
    pattern_fit: PatternFit | None = None
    """How the patterns agree with what the object predicts; None = nobody looked."""
    half_data_frc: np.ndarray | None = None
    """(3, R) float64 ring correlation of two halves of the data: frequency in cycles per pixel,
    correlation (NaN where a ring is empty), Fourier samples in the ring; None = not known."""


class PatternBatch(NamedTuple):
    """Patterns that share canvases, as tensors on one device.

    For training each of the B groups has a small canvas of its own; for a whole scan B = 1.
    """

    counts: torch.Tensor
    """(B, C, N, N) float32 photons."""
    corners: torch.Tensor
    """(B, C, 2) int64, (y, x) of the window's first pixel on the group's canvas."""
    fractions: torch.Tensor
    """(B, C, 2) float, sub-pixel part of the position, in [0, 1) px; beyond where a training moved
    it."""
    probe: torch.Tensor
    """(P, N, N) complex, in sqrt(photons) per pixel."""
    mask: torch.Tensor
    """(N, N) float, 1 = good pixel, 0 = bad."""
    canvas_shape: tuple[int, int]
    """(H, W) of the canvas that `corners` index."""
    truth: torch.Tensor | None = None
    """(B, H, W) complex true object of every group, 0 beyond the scan's canvas; None unless the
    training asks for it."""
    members: torch.Tensor | None = None
    """(B, C) int64, numbers of the patterns in the scan that the groups were drawn from; None
    where they come from no data set."""

    def on(self, device: torch.device) -> "PatternBatch":
        """Return the batch with every tensor on a device."""
        return PatternBatch(
            counts=self.counts.to(device),
            corners=self.corners.to(device),
            fractions=self.fractions.to(device),
            probe=self.probe.to(device),
            mask=self.mask.to(device),
            canvas_shape=self.canvas_shape,
            truth=None if self.truth is None else self.truth.to(device),
            members=None if self.members is None else self.members.to(device),
        )
