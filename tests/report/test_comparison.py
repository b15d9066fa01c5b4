import numpy as np
import pytest

from ptychopinn.errors import ConfigError, ShapeError
from ptychopinn.report import draw_comparison

from .conftest import decode, panel_pixels, texts

SHAPE = (90, 110)
GREY = [0x9C] * 3


def smooth_noise(seed):
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(SHAPE[0]), np.fft.fftfreq(SHAPE[1]), indexing="ij")
    low = np.exp(-(fy**2 + fx**2) / (2 * 0.06**2))
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=SHAPE)) * low).real
    return field / np.abs(field).max()


def truth():
    return (1 + 0.2 * smooth_noise(0)) * np.exp(1j * smooth_noise(1))


def lit():
    coverage = np.zeros(SHAPE)
    coverage[10:80, 10:100] = 3.0
    return coverage


def panels(figure):
    """The six images as a grid: amplitude and phase, reconstruction to difference."""
    images = [axes.images[0] for axes in figure.axes if axes.images]
    return np.reshape(np.array(images, dtype=object), (2, 3))


def values(image):
    return np.ma.filled(image.get_array(), np.nan)


def test_what_diffraction_cannot_tell_is_not_shown_as_a_difference(tmp_path, sketches):
    reference = truth()
    ramp = np.exp(0.02j * np.indices(SHAPE)[0])
    draw_comparison(1.7 * np.exp(2j) * ramp * reference, reference, lit(), tmp_path / "c.png")
    grid = panels(sketches[0])
    for row in grid:
        assert np.nanmax(np.abs(values(row[2]))) < 1e-3
        np.testing.assert_allclose(values(row[0]), values(row[1]), atol=1e-3)
    assert "factor 1.7 at 2" in texts(sketches[0])[-1]


def test_difference_is_image_less_reference(tmp_path, figures):
    reference = truth()
    image = reference.copy()
    image[36:48, 46:58] *= 1.3 * np.exp(0.4j)
    path = draw_comparison(image, reference, lit(), tmp_path / "c.png")
    amplitude, phase = panels(figures[0])
    for ours, theirs, apart in (amplitude, phase):
        assert ours.get_clim() == theirs.get_clim()
        assert apart.get_clim()[0] == -apart.get_clim()[1] < 0
    place = (42 - 8, 52 - 8)  # the crop starts 2 px before the lit region
    assert values(amplitude[2])[place] == pytest.approx(0.3 * np.abs(reference[42, 52]), rel=0.1)
    assert values(phase[2])[place] == pytest.approx(0.4, rel=0.1)
    shown = panel_pixels(path, phase[2].axes, phase[2].get_array().shape).astype(int)
    assert shown[place][0] - shown[place][2] > 60  # more is red
    np.testing.assert_array_equal(shown[1, 1], GREY)
    assert abs(shown[60, 20].min() - 247) < 12  # none is nearly white


def test_region_and_words(tmp_path, figures):
    reference = truth()
    path = draw_comparison(
        reference,
        reference,
        lit(),
        tmp_path / "c.png",
        region="y:30:70,x:20:90",
        text="SSIM 0.9 [a]\n5 % $\\x$",
        pixel_size_m=1e-8,
    )
    grid = panels(figures[0])
    assert grid[0, 0].axes.get_xlim() == (19.5, 89.5)
    assert grid[0, 0].axes.get_ylim() == (69.5, 29.5)
    np.testing.assert_allclose(values(grid[0, 1]), np.abs(reference[30:70, 20:90]))
    assert "SSIM 0.9 [a]\n5 % $\\x$" in texts(figures[0])
    assert [text.get_text() for text in grid[0, 0].axes.texts] == ["200 nm"]
    assert max(decode(path).shape) <= 2060


def test_phases_of_a_full_circle_wrap_alike(tmp_path, sketches):
    y, x = np.indices(SHAPE) - 45.2
    vortex = np.exp(1j * np.arctan2(y, x))
    draw_comparison(vortex * np.exp(3j), vortex, np.ones(SHAPE), tmp_path / "c.png")
    phase = panels(sketches[0])[1]
    assert phase[0].get_clim() == phase[1].get_clim() == (-np.pi, np.pi)
    assert np.nanmax(np.abs(values(phase[2]))) < 0.05


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("image", "reference", "coverage", "said"),
    [
        (np.full(SHAPE, np.inf + 0j), np.abs(truth()) + 0j, lit(), "not aligned"),
        (np.where(np.eye(*SHAPE) > 0, np.inf, truth()), np.abs(truth()) + 0j, lit(), "removed"),
        (truth(), truth(), np.zeros(SHAPE), "removed"),
        (np.ones((1, 1), complex), np.ones((1, 1), complex), np.ones((1, 1)), "removed"),
    ],
)
def test_awkward_inputs(tmp_path, figures, image, reference, coverage, said):
    path = draw_comparison(image, reference, coverage, tmp_path / "c.png")
    assert texts(figures[0])[-1].startswith(said)
    assert min(decode(path).shape[:2]) > 300


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"object": truth().real}, ShapeError),
        ({"reference": truth()[:-1]}, ShapeError),
        ({"coverage": lit()[:, 1:]}, ShapeError),
        ({"region": "y:10:200"}, ConfigError),
        ({"region": "left"}, ConfigError),
    ],
)
def test_refusals_come_before_any_file(tmp_path, change, error):
    arguments = {"object": truth(), "reference": truth(), "coverage": lit(), **change}
    with pytest.raises(error):
        draw_comparison(path=tmp_path / "c.png", **arguments)
    assert not list(tmp_path.iterdir())
