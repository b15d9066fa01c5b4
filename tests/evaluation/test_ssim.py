import numpy as np
import pytest
from skimage.metrics import structural_similarity

from ptychopinn.errors import ShapeError
from ptychopinn.evaluation.ssim import SCALE_WEIGHTS, ms_ssim, n_scales, ssim

from .objects import texture

SHAPES = [(40, 40), (33, 58), (61, 30)]


def pair(shape, error=0.5):
    reference = texture(shape, seed=1)
    return reference + error * texture(shape, 1.0, seed=2), reference, np.ptp(reference)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("error", [0.1, 1.0])
def test_ssim_is_that_of_scikit_image(shape, error):
    image, reference, span = pair(shape, error)
    expected = structural_similarity(image, reference, data_range=span)
    assert ssim(image, reference, span, np.ones(shape)) == pytest.approx(expected, abs=1e-12)
    assert ssim(image, reference, span, np.full(shape, 0.3)) == pytest.approx(expected, abs=1e-12)


def similarity_of_window(x, y, g, span, luminance=True):
    """SSIM of one window whose pixels have the weights g (population statistics)."""
    g = g / g.sum()
    mx, my = (g * x).sum(), (g * y).sum()
    vx, vy = (g * (x - mx) ** 2).sum(), (g * (y - my) ** 2).sum()
    cov = (g * (x - mx) * (y - my)).sum()
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    structure = (2 * cov + c2) / (vx + vy + c2)
    if not luminance:
        return structure
    return structure * (2 * mx * my + c1) / (mx**2 + my**2 + c1)


def ssim_by_loops(image, reference, span, weight):
    """Uniform 7 x 7 windows wholly inside the weight; sample covariance is n / (n - 1)."""
    total, mass = 0.0, 0.0
    for y in range(image.shape[0] - 6):
        for x in range(image.shape[1] - 6):
            part = (slice(y, y + 7), slice(x, x + 7))
            if not (weight[part] > 0).all():
                continue
            a, b = image[part], reference[part]
            cov = np.cov(a.ravel(), b.ravel())
            c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
            value = (2 * a.mean() * b.mean() + c1) * (2 * cov[0, 1] + c2)
            value /= (a.mean() ** 2 + b.mean() ** 2 + c1) * (cov[0, 0] + cov[1, 1] + c2)
            total += weight[y + 3, x + 3] * value
            mass += weight[y + 3, x + 3]
    return total / mass


def ragged_weight(shape):
    weight = np.random.default_rng(0).uniform(0.2, 1, size=shape)
    y, x = np.indices(shape)
    weight[(y + 2 * x) < 0.6 * shape[0]] = 0
    weight[shape[0] // 2, shape[1] - 9] = 0
    return weight


def test_weighted_ssim_counts_windows_inside_the_weight():
    shape = (26, 31)
    image, reference, span = pair(shape)
    weight = ragged_weight(shape)
    expected = ssim_by_loops(image, reference, span, weight)
    garbage = np.where(weight > 0, image, np.nan), np.where(weight > 0, reference, 1e12)
    assert ssim(image, reference, span, weight) == pytest.approx(expected, abs=1e-10)
    assert ssim(*garbage, span, weight) == pytest.approx(expected, abs=1e-10)


def gaussian_weights():
    line = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    return np.outer(line, line)


def ms_ssim_by_loops(image, reference, span, weight, scales):
    """Pixel by pixel and block by block, straight from the definition."""
    exponents = 1.0001 * np.array(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    result = 1.0
    for scale in range(scales):
        total, mass = 0.0, 0.0
        for y in range(5, image.shape[0] - 5):
            for x in range(5, image.shape[1] - 5):
                if weight[y, x] == 0:
                    continue
                part = (slice(y - 5, y + 6), slice(x - 5, x + 6))
                g = gaussian_weights() * (weight[part] > 0)
                total += weight[y, x] * similarity_of_window(
                    image[part], reference[part], g, span, luminance=scale == scales - 1
                )
                mass += weight[y, x]
        result *= (total / mass) ** exponents[scale]
        image, reference, weight = halved(image, reference, weight)
    return result


def halved(image, reference, weight):
    shape = (image.shape[0] // 2, image.shape[1] // 2)
    smaller = [np.zeros(shape) for _ in range(3)]
    for y, x in np.ndindex(shape):
        block = (slice(2 * y, 2 * y + 2), slice(2 * x, 2 * x + 2))
        smaller[2][y, x] = weight[block].mean()
        if smaller[2][y, x] > 0:
            for out, values in zip(smaller, (image, reference), strict=False):
                out[y, x] = values[block][weight[block] > 0].mean()
    return smaller


@pytest.mark.parametrize(
    ("shape", "scales", "weighted"),
    [((22, 25), 2, False), ((45, 50), 3, False), ((15, 13), 1, True), ((47, 44), 3, True)],
)
def test_ms_ssim_is_its_definition(shape, scales, weighted):
    image, reference, span = pair(shape)
    weight = ragged_weight(shape) if weighted else np.ones(shape)
    expected = ms_ssim_by_loops(image, reference, span, weight, scales)
    assert 0.3 < expected < 0.98
    assert ms_ssim(image, reference, span, weight) == pytest.approx(expected, abs=1e-10)
    garbage = np.where(weight > 0, image, np.nan), np.where(weight > 0, reference, 1e6)
    assert ms_ssim(*garbage, span, weight) == pytest.approx(expected, abs=1e-10)


def test_ms_ssim_on_five_scales():
    """All five scales, with windows as strided views instead of filters."""
    shape = (176, 181)
    image, reference, span = (values for values in pair(shape, error=0.8))
    g = gaussian_weights() / gaussian_weights().sum()
    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    expected, x, y = 1.0, image, reference
    for scale, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        a, b = (np.lib.stride_tricks.sliding_window_view(v, (11, 11)) for v in (x, y))

        def mean(values, g=g):
            return np.einsum("ijkl,kl->ij", values, g)

        ma, mb = mean(a), mean(b)
        cs = (2 * (mean(a * b) - ma * mb) + c2) / (mean(a * a) - ma**2 + mean(b * b) - mb**2 + c2)
        if scale == 4:
            cs = cs * (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)
        expected *= cs.mean() ** exponent
        h, w = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
        x, y = (
            (v[:h:2, :w:2] + v[1:h:2, :w:2] + v[:h:2, 1:w:2] + v[1:h:2, 1:w:2]) / 4 for v in (x, y)
        )
    assert ms_ssim(image, reference, span, np.ones(shape)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(
    ("side", "scales"), [(176, 5), (175, 4), (88, 4), (87, 3), (44, 3), (22, 2), (11, 1), (10, 0)]
)
def test_scales_that_fit(side, scales):
    assert n_scales((side, 300)) == n_scales((300, side)) == scales


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
def test_equal_images_score_one_and_others_less(measure):
    image, reference, span = pair((60, 70), error=0.05)
    weight = np.ones((60, 70))
    assert measure(reference, reference, span, weight) == pytest.approx(1, abs=1e-12)
    assert measure(image, reference, span, weight) < 0.9999


def test_only_the_last_scale_sees_luminance():
    _, reference, span = pair((45, 45))
    reference = reference + span
    brighter = reference + 0.5 * span
    weight = np.ones((45, 45))
    last = ssim_like_luminance(brighter, reference, span)
    assert 0.5 < last < 0.99
    assert ms_ssim(brighter, reference, span, weight) == pytest.approx(last, abs=1e-10)


def ssim_like_luminance(image, reference, span):
    """A constant offset leaves every cs at 1, so only l at the third of three scales is left."""
    for _ in range(2):
        image, reference, _ = halved(image, reference, np.ones(image.shape))
    values = [
        similarity_of_window(image[y : y + 11, x : x + 11], reference[y : y + 11, x : x + 11],
                             gaussian_weights(), span)
        for y in range(image.shape[0] - 10) for x in range(image.shape[1] - 10)
    ]  # fmt: skip
    exponent = 1.0001 * 0.3001 / (0.0448 + 0.2856 + 0.3001)
    return np.mean(values) ** exponent


def test_anticorrelated_images_score_zero():
    reference = texture((40, 40), 1.0)
    assert ms_ssim(-reference, reference, np.ptp(reference), np.ones((40, 40))) == 0


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
@pytest.mark.parametrize("data_range", [0.0, np.nan])
def test_without_a_range_there_is_no_score(measure, data_range):
    flat = np.ones((20, 20))
    assert np.isnan(measure(flat, flat, data_range, flat))


def test_without_a_whole_window_there_is_no_ssim():
    image, reference, span = pair((20, 20))
    weight = np.zeros((20, 20))
    weight[::2] = 1
    assert np.isnan(ssim(image, reference, span, weight))


@pytest.mark.parametrize(("measure", "side"), [(ssim, 6), (ms_ssim, 10)])
def test_images_smaller_than_the_window_are_refused(measure, side):
    flat = np.ones((side, 30))
    with pytest.raises(ShapeError, match="larger region"):
        measure(flat, flat, 1.0, flat)


@pytest.mark.parametrize("measure", [ssim, ms_ssim])
def test_shapes_and_kinds_are_checked(measure):
    flat = np.ones((20, 20))
    for wrong in (flat[:, :19], flat + 0j):
        with pytest.raises(ShapeError):
            measure(wrong, flat, 1.0, flat)
