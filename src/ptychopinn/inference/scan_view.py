"""A whole scan as its canvas sees it: streamed in batches, without gradients."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.physics.canvas import extract_patches, place_patches
from ptychopinn.physics.diffraction import diffract
from ptychopinn.physics.fourier import squared_modulus, to_corner
from ptychopinn.physics.probe import probes_at
from ptychopinn.physics.projection import object_update
from ptychopinn.physics.view import amplitude_in_corner
from ptychopinn.scan import Scan


class _Prepared(NamedTuple):
    """A batch of patterns, ready for the data step."""

    amplitude: torch.Tensor
    """(1, C, N, N) sqrt(counts), zero frequency in the corner."""
    probes: torch.Tensor
    """(1, C, P, N, N)."""
    corners: torch.Tensor
    """(1, C, 2)."""


class ScanView:
    """All patterns of a scan on one canvas; a `CanvasView` with B = 1.

    Patterns are read from wherever the scan keeps them, batch by batch, once a sweep. Prepared
    batches are kept while they fit into the cache, so that memory is the canvas, a batch and the
    cache, whatever the number of patterns.

    Args:
        scan: In the gauge of the package.
        batch_size: Patterns in a batch.
        device: Where the work is done.
        cache_bytes: Memory for prepared batches.
        on_batch: Called with the number of patterns after each batch of a sweep, for progress.
    """

    def __init__(
        self,
        scan: Scan,
        batch_size: int,
        device: torch.device,
        cache_bytes: float = 0.0,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self.scan = scan
        self.canvas_shape = scan.canvas_shape
        self._device = device
        self._on_batch = on_batch
        self._probe = torch.from_numpy(scan.probe).to(device)
        good = torch.from_numpy(scan.mask.astype(np.float32)).to(device)
        self._mask = None if scan.mask.all() else to_corner(good)
        whole = np.floor(scan.positions_px)
        self._corners = torch.from_numpy((whole - scan.n // 2).astype(np.int64)).to(device)
        fractions = (scan.positions_px - whole).astype(np.float32)
        self._fractions = torch.from_numpy(fractions).to(device)
        self._batches = [
            slice(start, min(start + batch_size, scan.n_patterns))
            for start in range(0, scan.n_patterns, batch_size)
        ]
        self._cache: list[_Prepared] = []
        each = scan.n * scan.n * (4 + 8 * scan.n_modes) * batch_size
        self._cached_batches = min(len(self._batches), int(cache_bytes // each))
        self.illumination = self._first_pass()
        """(1, H, W) real, photons per pixel."""

    def _prepare(self, part: slice) -> _Prepared:
        counts = torch.from_numpy(self.scan.counts(part)).to(self._device)
        return _Prepared(
            amplitude_in_corner(counts)[None],
            probes_at(self._probe, self._fractions[part])[None],
            self._corners[None, part],
        )

    def _first_pass(self) -> torch.Tensor:
        """Fill the cache and sum the illumination."""
        total = torch.zeros((1, *self.canvas_shape), device=self._device)
        for number, part in enumerate(self._batches):
            if number < self._cached_batches:
                prepared = self._prepare(part)
                self._cache.append(prepared)
                probes, corners = prepared.probes, prepared.corners
            else:
                probes = probes_at(self._probe, self._fractions[part])[None]
                corners = self._corners[None, part]
            weight = squared_modulus(probes).sum(dim=2)
            place_patches(weight, corners, self.canvas_shape, out=total)
        return total

    def _prepared(self) -> Iterator[_Prepared]:
        yield from self._cache
        for part in self._batches[self._cached_batches :]:
            yield self._prepare(part)

    def update(self, canvas: torch.Tensor) -> torch.Tensor:
        """One sweep: sum what every pattern asks of the (1, H, W) object."""
        total = torch.zeros_like(canvas)
        for amplitude, probes, corners in self._prepared():
            patches = extract_patches(canvas, corners, self.scan.n)
            change = object_update(patches, probes, amplitude, self._mask)
            place_patches(change, corners, self.canvas_shape, out=total)
            if self._on_batch:
                self._on_batch(corners.shape[1])
        return total

    def predictions(self, canvas: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield predicted and measured counts of each batch, (C, N, N), corner-centred."""
        for amplitude, probes, corners in self._prepared():
            patches = extract_patches(canvas, corners, self.scan.n)
            yield to_corner(diffract(patches, probes))[0], amplitude[0].square()
