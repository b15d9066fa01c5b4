"""A whole scan as its canvas sees it: streamed in batches, without gradients."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from ptychopinn.data.batch_plan import BatchPlan, ThreadShares
from ptychopinn.data.compact import Compact
from ptychopinn.data.pattern_feed import PatternFeed
from ptychopinn.inference.canvas_piece import CanvasPiece
from ptychopinn.physics.canvas import add_windows, cut_windows
from ptychopinn.physics.diffraction import diffract_in_corner
from ptychopinn.physics.fourier import intensity, to_corner
from ptychopinn.physics.fused import (
    add_light,
    add_update,
    asked_slopes,
    can_fuse,
    moved_probes,
    predicted_counts,
)
from ptychopinn.physics.gauge import seen_share
from ptychopinn.physics.likelihood import poisson_deviance
from ptychopinn.physics.linearised import PatternEquations, slope_equations
from ptychopinn.physics.projection import PROJECTION, ModulusStep, object_update
from ptychopinn.physics.subsets import EVERY, Subset, most_subsets
from ptychopinn.processes import ALONE, Processes
from ptychopinn.scan import Scan

#: A cache that holds less than this share of the batches is not worth its memory.
_LEAST_KEPT = 0.25
#: A map of light is kept as it is when it is no larger than this, else in bytes; and a sum of maps
#: is soon made again.
_KEPT_LIGHT_BYTES = 8 * 2**20
#: Rows of a map that are worked on at once.
_STRIP = 256


@dataclass(frozen=True)
class Streaming:
    """How a scan is streamed through memory."""

    batch_size: int
    """Patterns in a batch."""
    device: torch.device
    """Where the patterns are worked on."""
    cache_bytes: float = 0.0
    """Memory for prepared batches."""
    canvas_on_host: bool = False
    """Keep the canvas in the memory of the processor, and bring to the device what a batch sees."""
    piece_px: float = math.inf
    """Most pixels of the canvas that a batch may see then."""
    processes: Processes = ALONE
    """Who shares the patterns."""


class _Lit(NamedTuple):
    """A batch of windows and the light on them."""

    probes: torch.Tensor
    """(1, C, P, N, N)."""
    corners: torch.Tensor
    """(1, C, 2)."""


class _Prepared(NamedTuple):
    """A batch of patterns, ready for the data step."""

    amplitude: torch.Tensor
    """(1, C, N, N) sqrt(counts), zero frequency in the corner."""
    probes: torch.Tensor
    """(1, C, P, N, N)."""
    corners: torch.Tensor
    """(1, C, 2)."""


class _Rounded(NamedTuple):
    """The light of a subset in 255 steps: it only sets the pace, to within a hundredth of it."""

    steps: torch.Tensor
    """(1, H, W) uint8."""
    step: float
    """Photons per pixel."""

    @classmethod
    def of(cls, light: torch.Tensor) -> "_Rounded":
        step = float(light.amax()) / 255 or 1.0
        return cls((light / step).round_().to(torch.uint8), step)

    def unpacked(self) -> torch.Tensor:
        return self.steps.to(torch.float32).mul_(self.step)

    def add_to(self, total: torch.Tensor) -> None:
        """Add it to a (1, H, W) real map, in strips that take no memory to speak of."""
        for rows, steps in zip(*(x.split(_STRIP, dim=1) for x in (total, self.steps)), strict=True):
            rows.add_(steps, alpha=self.step)


class _Strip(NamedTuple):
    """Rows of the canvas that a thread adds to."""

    rows: slice
    values: torch.Tensor
    """(1, rows, W)."""

    def below(self, corners: torch.Tensor) -> torch.Tensor:
        """Return (1, C, 2) corners counted from the first row."""
        return (
            corners if not self.rows.start else corners - corners.new_tensor([self.rows.start, 0])
        )


_Batch = TypeVar("_Batch", _Lit, _Prepared)


class ScanView:
    """All patterns of a scan on one canvas; a `CanvasView` with B = 1.

    Patterns are read from wherever the scan keeps them, batch by batch, once a sweep. Prepared
    batches are kept while they fit into the cache, so that memory is the canvas, a batch and the
    cache, whatever the number of patterns. Of several processes each reads its share, and sums
    over patterns are sums over processes: each subset of a sweep is one collective over the canvas,
    and one over a number a process before it (`Processes.add_up`). The light takes as many once.

    Args:
        scan: In the gauge of the package.
        streaming: Batches, device, cache, processes.
        subsets: Most subsets that a sweep will be cut into, a power of two.
        on_batch: Called with the number of patterns after each batch of a sweep, for progress.
    """

    def __init__(
        self,
        scan: Scan,
        streaming: Streaming,
        subsets: int = 1,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self.scan = scan
        self.canvas_shape = scan.canvas_shape
        self._processes = streaming.processes
        self._device = device = streaming.device
        self._by_pieces = streaming.canvas_on_host
        self._canvas_device = torch.device("cpu") if streaming.canvas_on_host else device
        self._on_batch = on_batch
        self._probe = torch.from_numpy(scan.probe).to(device)
        good = torch.from_numpy(scan.mask.astype(np.float32)).to(device)
        self._good = to_corner(good)
        self._mask = None if scan.mask.all() else self._good
        self.counts_per_pixel = float(intensity(self._probe).mean())
        self.seen_share = 1.0 if self._mask is None else seen_share(self._probe, good)
        whole = np.floor(scan.positions_px)
        self._corners = torch.from_numpy((whole - scan.n // 2).astype(np.int64)).to(device)
        fractions = (scan.positions_px - whole).astype(np.float32)
        self._fractions = torch.from_numpy(fractions).to(device)
        self.subsets = min(subsets, most_subsets(scan.n_patterns))
        """Most subsets that it can be cut into; each batch belongs to one of them."""
        self._threads = ThreadShares(device)
        self._batches = BatchPlan.interleaved(
            self._corners,
            streaming.batch_size,
            self.subsets,
            threads=self._threads.count,
            processes=streaming.processes,
            compact=Compact(scan.n, streaming.piece_px) if streaming.canvas_on_host else None,
        )
        self._feed = PatternFeed(scan, device)
        each = scan.n * scan.n * (4 + 8 * scan.n_modes)
        kept = self._batches.first_within(streaming.cache_bytes, each)
        enough = kept >= _LEAST_KEPT * len(self._batches.members)
        self._kept_batches = kept if enough else 0
        self._cache: list[_Prepared | None] = [None] * self._kept_batches
        self._lights: dict[Subset, torch.Tensor | _Rounded] = {}
        self.illumination = self._lights[EVERY] = self._all_light()
        """(1, H, W) real, photons per pixel."""

    def _sum(
        self,
        look: Callable[[Sequence[int]], Iterator[_Batch]],
        add: Callable[[_Batch, _Strip], None],
        subset: Subset,
        dtype: torch.dtype,
    ) -> torch.Tensor:
        """Call ``add(batch, strip)`` for all that ``look(numbers)`` shows; return the total.

        It is (1, H, W), summed over the batches of a subset, threads and processes.
        """
        batches = self._batches.of(subset)

        def share(numbers: Sequence[int]) -> _Strip:
            # The first share is as large as the canvas, and takes in the others.
            rows = self._rows_of(numbers) if numbers[:1] != batches[:1] else slice(None)
            height = len(range(*rows.indices(self.canvas_shape[0])))
            shape = (1, height, self.canvas_shape[1])
            strip = _Strip(rows, torch.zeros(shape, dtype=dtype, device=self._canvas_device))
            for batch in look(numbers):
                add(batch, strip)
            return strip

        whole, *strips = self._threads.work(share, batches)
        with torch.inference_mode():
            for strip in strips:
                whole.values[:, strip.rows] += strip.values
            return self._processes.add_up(whole.values)

    def _rows_of(self, numbers: Sequence[int]) -> slice:
        """Return the rows of the canvas that some batches reach."""
        patterns = np.concatenate([self._batches.members[number] for number in numbers])
        rows = self._corners[torch.from_numpy(patterns), 0]
        return slice(int(rows.min()), int(rows.max()) + self.scan.n)

    def _all_light(self) -> torch.Tensor:
        """Return the light of all patterns, and keep that of the finest subsets."""
        total = self._light_of(Subset(0, self.subsets))
        if self.subsets == 1:
            return total
        for part in range(self.subsets):
            subset = Subset(part, self.subsets)
            light = self._light_of(subset) if part else total
            total = total + light if part else total
            small = light.nbytes <= _KEPT_LIGHT_BYTES
            self._lights[subset] = light if small else _Rounded.of(light)
        return total

    def _light_of(self, subset: Subset) -> torch.Tensor:
        """Return the light of one of the finest subsets on the canvas."""
        return self._sum(self._lit, self._add_light, subset, torch.float32)

    def illumination_of(self, subset: Subset) -> torch.Tensor:
        """Return the light of a subset on the (1, H, W) canvas."""
        known = self._lights.get(subset)
        if known is not None:
            return known.unpacked() if isinstance(known, _Rounded) else known
        total = torch.zeros_like(self.illumination)
        for part in range(subset.index, self.subsets, subset.count):
            light = self._lights[Subset(part, self.subsets)]
            if isinstance(light, _Rounded):
                light.add_to(total)
            else:
                total += light
        if total.nbytes <= _KEPT_LIGHT_BYTES:
            self._lights[subset] = total
        return total

    def _prepared(self, numbers: Sequence[int]) -> Iterator[_Prepared]:
        """Yield batches from the cache, or made (and kept while there is room)."""
        members = self._batches.members
        unread = (None if self._known(number) else members[number] for number in numbers)
        for number, block in zip(numbers, self._feed.blocks(unread), strict=True):
            batch = self._known(number)
            if batch is None:
                assert block is not None
                lit = self._light(members[number])
                batch = _Prepared(self._feed.amplitude(block), *lit)
                if number < self._kept_batches:
                    self._cache[number] = batch
            yield batch

    def _known(self, number: int) -> _Prepared | None:
        return self._cache[number] if number < self._kept_batches else None

    def _lit(self, numbers: Sequence[int]) -> Iterator[_Lit]:
        """Yield the light of batches; those that will be kept are prepared at once."""
        kept = [number for number in numbers if number < self._kept_batches]
        for batch in self._prepared(kept):
            yield _Lit(batch.probes, batch.corners)
        for number in numbers[len(kept) :]:
            yield self._light(self._batches.members[number])

    def _light(self, part: np.ndarray) -> _Lit:
        """Return the probes and corners of a batch."""
        probes = moved_probes(self._probe, self._fractions[part])
        return _Lit(probes[None], self._corners[part][None])

    def _add_light(self, batch: _Lit, total: _Strip) -> None:
        if self._by_pieces:
            self._add(intensity(batch.probes), batch.corners, total)
        else:
            add_light(total.values, batch.probes, total.below(batch.corners))

    def _add(self, patches: torch.Tensor, corners: torch.Tensor, total: _Strip) -> None:
        """Add (1, C, N, N) patches to the canvas, by way of the piece that they cover."""
        corners = total.below(corners)
        if not self._by_pieces:
            add_windows(total.values, patches, corners)
            return
        piece = CanvasPiece.around(corners, self.scan.n)
        target = piece.of(total.values)
        here = torch.zeros_like(target, device=self._device)
        add_windows(here, patches, piece.corners)
        target += here.to(self._canvas_device)

    def _extract(self, canvas: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
        """Cut the (1, C, N, N) windows of a batch out of the canvas."""
        if not self._by_pieces:
            return cut_windows(canvas, corners, self.scan.n)
        piece = CanvasPiece.around(corners, self.scan.n)
        return cut_windows(piece.of(canvas).to(self._device), piece.corners, self.scan.n)

    def _predicted(
        self, canvas: torch.Tensor, corners: torch.Tensor, probes: torch.Tensor
    ) -> torch.Tensor:
        """Return the (1, C, N, N) counts that a canvas predicts for a batch, corner-centred."""
        if self._by_pieces:
            return diffract_in_corner(self._extract(canvas, corners), probes)
        return predicted_counts(canvas, corners, probes)

    def update(
        self, canvas: torch.Tensor, subset: Subset = EVERY, step: ModulusStep = PROJECTION
    ) -> torch.Tensor:
        """Sum what every pattern of a subset asks of the (1, H, W) object."""

        def add(batch: _Prepared, total: _Strip) -> None:
            amplitude, probes, corners = batch
            if can_fuse(canvas, probes) and not self._by_pieces:
                both = (corners, total.below(corners))
                add_update(total.values, canvas, both, (amplitude, probes), self._good, step)
            else:
                patches = self._extract(canvas, corners)
                asked = object_update(patches, probes, amplitude, self._mask, step)
                self._add(asked, corners, total)
            if self._on_batch:
                self._on_batch(corners.shape[1])

        return self._sum(self._prepared, add, subset, canvas.dtype)

    def deviance(self, canvas: torch.Tensor, subset: Subset = EVERY) -> float:
        """Return the mean Poisson deviance of a good pixel of the patterns of a subset."""

        def share(numbers: Sequence[int]) -> torch.Tensor:
            total = torch.zeros(2, dtype=torch.float64, device=self._device)
            for amplitude, probes, corners in self._prepared(numbers):
                rates = self._predicted(canvas, corners, probes)
                found = poisson_deviance(rates, amplitude.square())
                if self._mask is not None:
                    found = found * self._mask
                total[0] += found.sum()
                total[1] += corners.shape[1]
            return total

        with torch.inference_mode():
            sums = torch.stack(self._threads.work(share, self._batches.of(subset))).sum(dim=0)
            lost, patterns = self._processes.add_up(sums).tolist()
        return lost / (patterns * float(self.scan.mask.sum()))

    def slopes(self, canvas: torch.Tensor, subset: Subset = EVERY) -> PatternEquations:
        """Return what the patterns of a subset say of the slope of the object's phase, D = 2."""
        found = PatternEquations.none_asked(self.scan.n_patterns, 2)

        def share(numbers: Sequence[int]) -> None:
            for number, batch in zip(numbers, self._prepared(numbers), strict=True):
                amplitude, probes, corners = batch
                if self._by_pieces:
                    patches = self._extract(canvas, corners)
                    answers = slope_equations(patches, probes, amplitude, self._mask)
                else:
                    answers = asked_slopes(canvas, corners, (amplitude, probes), self._good)
                found.fill(self._batches.members[number], answers)

        self._threads.work(share, self._batches.of(subset))
        return PatternEquations(*self._processes.fill_in(*found))

    def predictions(self, canvas: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield predicted and measured counts of each batch, (C, N, N), corner-centred.

        Of several processes each gives its own share.
        """
        for amplitude, probes, corners in self._prepared(range(len(self._batches.members))):
            yield self._predicted(canvas, corners, probes)[0], amplitude[0].square()
