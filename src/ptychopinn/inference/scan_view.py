"""A whole scan as its canvas sees it: streamed in batches, without gradients."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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


class _Threads:
    """Sums over batches, each thread with a share of them and a sum of its own.

    Threads that never wait for each other inside a sweep keep their pace on a machine that others
    use as well; sharing every single operation among them does not. The shares are fixed, so the
    same number of threads gives the same bits.

    Args:
        count: Number of threads.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = None
        if count > 1:
            self._pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))

    def sum(
        self, add: Callable[[int, torch.Tensor], None], batches: int, total: torch.Tensor
    ) -> torch.Tensor:
        """Call ``add(batch number, total)`` for every batch; return the sum of the totals."""

        def share(first: int) -> torch.Tensor:
            part = torch.zeros_like(total)
            with torch.inference_mode():
                for number in range(first, batches, self._count):
                    add(number, part)
            return part

        if self._pool is None:
            return share(0)
        parts = list(self._pool.map(share, range(self._count)))
        for part in parts[1:]:
            parts[0] += part
        return parts[0]


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
        each = scan.n * scan.n * (4 + 8 * scan.n_modes) * batch_size
        self._cached_batches = min(len(self._batches), int(cache_bytes // each))
        self._cache: list[_Prepared | None] = [None] * self._cached_batches
        self._threads = _Threads(torch.get_num_threads() if device.type == "cpu" else 1)
        light = torch.zeros((1, *self.canvas_shape), device=device)
        self.illumination = self._threads.sum(self._add_light, len(self._batches), light)
        """(1, H, W) real, photons per pixel."""

    def _prepare(self, number: int) -> _Prepared:
        """Return a batch from the cache, or make it (and keep it while there is room)."""
        if number < self._cached_batches:
            kept = self._cache[number]
            if kept is not None:
                return kept
        part = self._batches[number]
        counts = torch.from_numpy(self.scan.counts(part)).to(self._device)
        made = _Prepared(amplitude_in_corner(counts)[None], *self._light(part))
        if number < self._cached_batches:
            self._cache[number] = made
        return made

    def _light(self, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the probes and corners of a batch."""
        return probes_at(self._probe, self._fractions[part])[None], self._corners[None, part]

    def _add_light(self, number: int, total: torch.Tensor) -> None:
        if number < self._cached_batches:
            _, probes, corners = self._prepare(number)
        else:
            probes, corners = self._light(self._batches[number])
        weight = squared_modulus(probes).sum(dim=2)
        place_patches(weight, corners, self.canvas_shape, out=total)

    def update(self, canvas: torch.Tensor) -> torch.Tensor:
        """One sweep: sum what every pattern asks of the (1, H, W) object."""

        def add(number: int, total: torch.Tensor) -> None:
            amplitude, probes, corners = self._prepare(number)
            patches = extract_patches(canvas, corners, self.scan.n)
            change = object_update(patches, probes, amplitude, self._mask)
            place_patches(change, corners, self.canvas_shape, out=total)
            if self._on_batch:
                self._on_batch(corners.shape[1])

        return self._threads.sum(add, len(self._batches), torch.zeros_like(canvas))

    def predictions(self, canvas: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield predicted and measured counts of each batch, (C, N, N), corner-centred."""
        for number in range(len(self._batches)):
            amplitude, probes, corners = self._prepare(number)
            patches = extract_patches(canvas, corners, self.scan.n)
            yield to_corner(diffract(patches, probes))[0], amplitude[0].square()
