"""A whole scan as its canvas sees it: streamed in batches, without gradients."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.physics.canvas import extract_patches, place_patches
from ptychopinn.physics.diffraction import diffract
from ptychopinn.physics.fourier import intensity, to_corner
from ptychopinn.physics.probe import probes_at
from ptychopinn.physics.projection import object_update
from ptychopinn.physics.subsets import EVERY, Subset, most_subsets, z_order
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
        self, add: Callable[[int, torch.Tensor], None], batches: Sequence[int], total: torch.Tensor
    ) -> torch.Tensor:
        """Call ``add(batch number, total)`` for the batches; return the sum of the totals."""

        def share(first: int) -> torch.Tensor:
            part = torch.zeros_like(total)
            with torch.inference_mode():
                for number in batches[first :: self._count]:
                    add(number, part)
            return part

        if self._pool is None:
            return share(0)
        parts = list(self._pool.map(share, range(self._count)))
        for part in parts[1:]:
            parts[0] += part
        return parts[0]


class _Batches(NamedTuple):
    """How the patterns of a scan are cut into batches."""

    members: list[np.ndarray]
    """Pattern numbers of each batch, ascending within a subset: the order of the file."""
    subset: list[int]
    """The finest subset that each batch belongs to."""

    @classmethod
    def interleaved(
        cls, corners: torch.Tensor, batch_size: int, subsets: int, threads: int
    ) -> "_Batches":
        """Cut the subsets of (K, 2) corners into equal batches, as many for every thread."""
        order = z_order(corners.cpu()).numpy()
        members: list[np.ndarray] = []
        subset = []
        for part in range(subsets):
            patterns = np.sort(order[part::subsets])
            pieces = -(-len(patterns) // (batch_size * threads)) * threads
            cut = np.array_split(patterns, min(pieces, len(patterns)))
            members += cut
            subset += [part] * len(cut)
        return cls(members, subset)

    def of(self, subset: Subset) -> list[int]:
        """Return the numbers of the batches in a subset of the patterns."""
        return [
            number for number, part in enumerate(self.subset) if part % subset.count == subset.index
        ]


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
        subsets: Most subsets that a sweep will be cut into, a power of two.
        on_batch: Called with the number of patterns after each batch of a sweep, for progress.
    """

    def __init__(
        self,
        scan: Scan,
        batch_size: int,
        device: torch.device,
        cache_bytes: float = 0.0,
        subsets: int = 1,
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
        self.subsets = min(subsets, most_subsets(scan.n_patterns))
        """Most subsets that it can be cut into; each batch belongs to one of them."""
        threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._threads = _Threads(threads)
        self._batches = _Batches.interleaved(self._corners, batch_size, self.subsets, threads)
        count = len(self._batches.members)
        each = scan.n * scan.n * (4 + 8 * scan.n_modes) * batch_size
        self._cached_batches = min(count, int(cache_bytes // each))
        self._cache: list[_Prepared | None] = [None] * self._cached_batches
        lights = [self._light_of(part) for part in range(self.subsets)]
        self._lights = {Subset(part, self.subsets): light for part, light in enumerate(lights)}
        self.illumination = self.illumination_of(EVERY)
        """(1, H, W) real, photons per pixel."""

    def _light_of(self, part: int) -> torch.Tensor:
        """Return the light of one of the finest subsets on the canvas."""
        light = torch.zeros((1, *self.canvas_shape), device=self._device)
        chosen = self._batches.of(Subset(part, self.subsets))
        return self._threads.sum(self._add_light, chosen, light)

    def illumination_of(self, subset: Subset) -> torch.Tensor:
        """Return the light of a subset on the (1, H, W) canvas."""
        if subset not in self._lights:
            finest = range(subset.index, self.subsets, subset.count)
            total = torch.zeros((1, *self.canvas_shape), device=self._device)
            for part in finest:
                total += self._lights[Subset(part, self.subsets)]
            self._lights[subset] = total
        return self._lights[subset]

    def _prepare(self, number: int) -> _Prepared:
        """Return a batch from the cache, or make it (and keep it while there is room)."""
        if number < self._cached_batches:
            kept = self._cache[number]
            if kept is not None:
                return kept
        part = self._batches.members[number]
        counts = torch.from_numpy(self.scan.counts(part)).to(self._device)
        made = _Prepared(amplitude_in_corner(counts)[None], *self._light(part))
        if number < self._cached_batches:
            self._cache[number] = made
        return made

    def _light(self, part: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the probes and corners of a batch."""
        probes = probes_at(self._probe, self._fractions[part])
        return probes[None], self._corners[part][None]

    def _add_light(self, number: int, total: torch.Tensor) -> None:
        if number < self._cached_batches:
            _, probes, corners = self._prepare(number)
        else:
            probes, corners = self._light(self._batches.members[number])
        weight = intensity(probes)
        place_patches(weight, corners, self.canvas_shape, out=total)

    def update(self, canvas: torch.Tensor, subset: Subset = EVERY) -> torch.Tensor:
        """Sum what every pattern of a subset asks of the (1, H, W) object."""

        def add(number: int, total: torch.Tensor) -> None:
            amplitude, probes, corners = self._prepare(number)
            patches = extract_patches(canvas, corners, self.scan.n)
            change = object_update(patches, probes, amplitude, self._mask)
            place_patches(change, corners, self.canvas_shape, out=total)
            if self._on_batch:
                self._on_batch(corners.shape[1])

        return self._threads.sum(add, self._batches.of(subset), torch.zeros_like(canvas))

    def predictions(self, canvas: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield predicted and measured counts of each batch, (C, N, N), corner-centred."""
        for number in range(len(self._batches.members)):
            amplitude, probes, corners = self._prepare(number)
            patches = extract_patches(canvas, corners, self.scan.n)
            yield to_corner(diffract(patches, probes))[0], amplitude[0].square()
