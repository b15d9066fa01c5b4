"""Complex objects to scan, by name: each painter draws what absorbs and what shifts phase."""

from collections.abc import Callable

import numpy as np
from scipy import fft, ndimage

from ptychopinn.config import SimulationConfig
from ptychopinn.simulation.photographs import photographs
from ptychopinn.simulation.star import siemens_star

Painting = tuple[np.ndarray, np.ndarray]
Painter = Callable[[tuple[int, int], np.random.Generator], Painting]

#: Canvas pixels per random line (half the sum of both sides is counted), and their widths.
LINE_SPACING_PX = 2.5
LINE_WIDTH_PX = (0.8, 6.0)
#: Gaussian that softens lines and leaves, so that the canvas samples their edges.
LINE_BLUR_PX = 0.7
#: Smallest radius of a dead leaf, the largest as a share of the shorter side, and how many
#: leaves lie on top of each other on average.
LEAF_SMALLEST_PX = 4.0
LEAF_LARGEST_SHARE = 0.25
LEAF_LAYERS = 5.0
#: Spectral amplitude of filtered noise falls as frequency to this power.
NOISE_EXPONENT = -1.25


def make_object(
    shape: tuple[int, int], rng: np.random.Generator, settings: SimulationConfig
) -> np.ndarray:
    """Paint the object that the settings name.

        O = (1 - amplitude_range * a) * exp(i * phase_range_rad * (b - 1/2)),   a, b in [0, 1]

    a = 0 lets all light through. The phase is centred on zero, so that it never wraps.

    Args:
        shape: (H, W) of the canvas.
        rng: All randomness.
        settings: Kind and ranges.

    Returns:
        (H, W) complex64, amplitude in [1 - amplitude_range, 1].
    """
    absorbing, shifting = OBJECTS[settings.object](shape, rng)
    amplitude = 1 - settings.amplitude_range * absorbing
    phase = settings.phase_range_rad * (shifting - 0.5)
    return (amplitude * np.exp(1j * phase)).astype(np.complex64)


def _stretch(image: np.ndarray) -> np.ndarray:
    """Map an image linearly onto [0, 1]; a flat one becomes 0."""
    low, high = float(image.min()), float(image.max())
    return (image - low) / (high - low) if high > low else np.zeros_like(image)


def lines(shape: tuple[int, int], rng: np.random.Generator) -> Painting:
    """Draw straight lines of random place, direction, width and strength, softened.

    A line has one strength for absorption and another for phase; where lines cross they add, and
    1 - exp(-sum / mean) keeps crossings from drowning the rest. The 'lines' set of the
    PtychoPINN paper is of this kind (Hoidn et al., Sci. Rep. 13, 22789 (2023)).
    """
    sums = np.zeros((2, *shape))
    for _ in range(round(sum(shape) / 2 / LINE_SPACING_PX) + 1):
        _add_line(sums, rng)
    soft = [ndimage.gaussian_filter(image, LINE_BLUR_PX) for image in sums]
    absorbing, shifting = (_stretch(1 - np.exp(-image / (image.mean() + 1e-12))) for image in soft)
    return absorbing, shifting


def _add_line(sums: np.ndarray, rng: np.random.Generator) -> None:
    """Add a line through a random point to (2, H, W), its edges one pixel soft; in place.

    The line runs along the columns (x) within 45 degrees, or along the rows: the same on the
    transposed canvas.
    """
    point = rng.uniform(0, sums.shape[1:])
    if rng.random() < 0.5:
        sums, point = sums.swapaxes(1, 2), point[::-1]
    angle = rng.uniform(-np.pi / 4, np.pi / 4)
    half_width = np.exp(rng.uniform(*np.log(LINE_WIDTH_PX))) / 2
    x = np.arange(sums.shape[2])
    middle = point[0] + (x - point[1]) * np.tan(angle)
    reach = int(np.ceil((half_width + 0.5) / np.cos(angle)))
    y = np.round(middle).astype(int) + np.arange(-reach, reach + 1)[:, None]
    cover = np.clip(half_width + 0.5 - np.abs(y - middle) * np.cos(angle), 0, 1)
    inside = (y >= 0) & (y < sums.shape[1])
    rows, columns = y[inside], np.broadcast_to(x, y.shape)[inside]
    sums[:, rows, columns] += rng.exponential(size=(2, 1)) * cover[inside]


def dead_leaves(shape: tuple[int, int], rng: np.random.Generator) -> Painting:
    """Drop discs of random grey onto each other; the last one hides what lies below.

    Radii follow p(r) ~ r^-3 between two bounds, which gives structure at every scale.
    Source: Lee, Mumford & Huang, Int. J. Comput. Vis. 41, 35 (2001).
    """
    smallest = min(LEAF_SMALLEST_PX, min(shape) / 4)
    largest = max(LEAF_LARGEST_SHARE * min(shape), smallest * 1.01)
    mean_area = 2 * np.pi * smallest**2 * np.log(largest / smallest)
    canvas = np.full((2, *shape), 0.5)
    for _ in range(round(LEAF_LAYERS * shape[0] * shape[1] / mean_area) + 1):
        share = rng.uniform((smallest / largest) ** 2, 1)
        _drop_leaf(canvas, rng.uniform(0, shape), smallest / np.sqrt(share), rng.uniform(size=2))
    return _stretch(canvas[0]), _stretch(canvas[1])


def _drop_leaf(canvas: np.ndarray, centre: np.ndarray, radius: float, grey: np.ndarray) -> None:
    """Cover a disc of (2, H, W) with a grey per channel, its edge one pixel soft; in place."""
    start = np.maximum(np.floor(centre - radius - 1), 0).astype(int)
    stop = np.ceil(centre + radius + 2).astype(int)
    box = canvas[:, start[0] : stop[0], start[1] : stop[1]]
    y = np.arange(start[0], start[0] + box.shape[1])[:, None] - centre[0]
    x = np.arange(start[1], start[1] + box.shape[2])[None, :] - centre[1]
    cover = np.clip(radius - np.hypot(y, x) + 0.5, 0, 1)
    box += cover * (grey[:, None, None] - box)


def spokes(shape: tuple[int, int], _rng: np.random.Generator) -> Painting:
    """Draw a Siemens star of one material: the same picture absorbs and shifts phase."""
    star = siemens_star(shape)
    return star, star


def noise(shape: tuple[int, int], rng: np.random.Generator) -> Painting:
    """Filter two independent white noises to |spectrum| ~ frequency ** NOISE_EXPONENT."""
    return _coloured_noise(shape, rng), _coloured_noise(shape, rng)


def _coloured_noise(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return one image in [0, 1]; beyond 2.5 standard deviations it is clipped."""
    frequency = np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :])
    frequency[0, 0] = np.inf
    spectrum = fft.rfft2(rng.standard_normal(shape)) * frequency**NOISE_EXPONENT
    image = fft.irfft2(spectrum, s=shape)
    return _stretch(np.clip(image, -2.5 * image.std(), 2.5 * image.std()))


def photo(shape: tuple[int, int], rng: np.random.Generator) -> Painting:
    """Let one photograph of scikit-image be the transmission and another the phase."""
    bright, shifting = photographs(shape, rng, 2)
    return 1 - _stretch(bright), _stretch(shifting)


OBJECTS: dict[str, Painter] = {
    "lines": lines,
    "dead_leaves": dead_leaves,
    "spokes": spokes,
    "noise": noise,
    "photo": photo,
}
