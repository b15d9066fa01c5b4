import matplotlib
import numpy as np
import pytest
from matplotlib import colormaps

from ptychopinn.errors import OutputError, ShapeError
from ptychopinn.report import (
    draw_amplitude,
    draw_phase,
    draw_probe,
    draw_result,
    write_pictures,
)
from ptychopinn.report.view import covered_box
from ptychopinn.scan import Reconstruction

from .conftest import decode, panel_pixels, texts

GREY = [0x9C] * 3
SHAPE = (60, 80)


def lit_in_the_middle(shape=SHAPE):
    coverage = np.zeros(shape, dtype=np.float32)
    coverage[10:-10, 20:-20] = 1
    return coverage


def star(shape=SHAPE, phase_range=1.0):
    y, x = np.indices(shape)
    pattern = np.sin(7 * np.arctan2(y - shape[0] / 2, x - shape[1] / 2))
    wave = (1 + 0.1 * pattern) * np.exp(1j * (0.7 + phase_range / 2 * pattern))
    return wave.astype(np.complex64)


def reconstruction(**changes):
    values = {
        "object": star(),
        "coverage": lit_in_the_middle(),
        "probe": np.ones((2, 16, 16), dtype=np.complex64),
        "positions_px": np.array([[20.0, 30.0], [40.0, 50.0]]),
        "losses": np.empty(0),
        "pixel_size_m": 1e-8,
    }
    return Reconstruction(**{**values, **changes})


def mapped(values, low, high, name):
    """The colours of matplotlib's map, as uint8."""
    place = np.clip((values - low) / (high - low), 0, 1)
    return np.round(colormaps[name](place)[..., :3] * 255).astype(int)


@pytest.mark.parametrize(
    ("draw", "quantity", "colours"),
    [(draw_amplitude, np.abs, "bone"), (draw_phase, np.angle, "viridis")],
)
def test_lit_pixels_have_the_colour_of_their_value_and_others_are_grey(
    tmp_path, figures, draw, quantity, colours
):
    wave, coverage = star(), lit_in_the_middle()
    wave[coverage == 0] = 1e6 * np.exp(2j)  # noise where nothing was lit
    coverage[30:34, 30:40] = 0.03  # shown, but not to set the contrast
    wave[30:34, 30:40] *= 9 * np.exp(1.5j)
    path = draw(wave, coverage, tmp_path / "picture.png")
    assert path == tmp_path / "picture.png"
    assert not figures[0].axes[0].lines  # no scale bar without a pixel size
    # Crop: rows 10 to 49 and columns 20 to 59 with a margin of 2 px.
    shown = panel_pixels(path, figures[0].axes[0], (44, 44)).astype(int)
    cut = (slice(8, 52), slice(18, 62))
    known, counted = coverage[cut] > 0, coverage[cut] == 1
    np.testing.assert_array_equal(shown[~known], np.broadcast_to(GREY, shown[~known].shape))
    values = quantity(wave[cut])
    if draw is draw_phase:
        values = values - np.median(values[counted])
    low, high = np.percentile(values[counted], [0.5, 99.5])
    wanted = mapped(values, low, high, colours)
    assert np.abs(shown - wanted)[known].max() <= 6  # one step of a map with 256 colours


def test_axes_are_canvas_pixels_and_bars_say_unit_and_scale(tmp_path, sketches):
    draw_phase(star(), lit_in_the_middle(), tmp_path / "picture.png", 1e-8)
    image, bar = sketches[0].axes
    assert image.get_xlim() == (17.5, 61.5)
    assert image.get_ylim() == (51.5, 7.5)  # y down
    assert (image.get_xlabel(), image.get_ylabel()) == ("x (px)", "y (px)")
    assert bar.get_ylabel() == "phase (rad)"
    assert [text.get_text() for text in image.texts] == ["100 nm"]
    ((start, end),) = [line.get_xdata() for line in image.lines]
    assert end - start == pytest.approx(10)


def test_full_circle_of_phases_gets_a_cyclic_map(tmp_path, sketches):
    y, x = np.indices(SHAPE)
    vortex = np.exp(1j * np.arctan2(y - 30, x - 40))
    draw_phase(vortex, np.ones(SHAPE), tmp_path / "picture.png")
    image, bar = sketches[0].axes
    assert image.images[0].get_clim() == (-np.pi, np.pi)
    first, last = (image.images[0].get_cmap()(end) for end in (0.0, 1.0))
    assert first == pytest.approx(last, abs=0.02)
    assert bar.get_yticklabels()[-1].get_text() == "π"


def test_grey_and_averages_are_explained(tmp_path, sketches):
    draw_phase(star(), lit_in_the_middle(), tmp_path / "a.png")
    assert "grey: below 2 % of the largest illumination" in texts(sketches[0])[-1]
    draw_amplitude(star(), np.ones(SHAPE), tmp_path / "b.png")
    assert texts(sketches[1])[-1] == ""
    draw_amplitude(star(), np.zeros(SHAPE), tmp_path / "d.png")
    assert texts(sketches[-1])[0] == "amplitude: nothing was lit"
    draw_amplitude(np.ones((3000, 20), complex), np.ones((3000, 20)), tmp_path / "c.png")
    assert texts(sketches[-1])[-1] == "means of 2 x 2 px"


def test_large_canvas_becomes_a_picture_of_bounded_size(tmp_path, figures):
    wave = np.ones((3300, 1000), dtype=np.complex64)
    wave[:, 500:] = 2
    path = draw_amplitude(wave, np.ones(wave.shape, np.float32), tmp_path / "picture.png", 1e-9)
    assert 1300 < max(decode(path).shape) <= 2060
    shape = figures[0].axes[0].images[0].get_array().shape
    colours = panel_pixels(path, figures[0].axes[0], shape)
    np.testing.assert_array_equal(colours[100, 10], [0, 0, 0])
    np.testing.assert_array_equal(colours[100, -10], [255, 255, 255])


AWKWARD = {
    "constant": (np.full(SHAPE, 2 + 0j), np.ones(SHAPE)),
    "dark": (np.zeros(SHAPE, complex), np.zeros(SHAPE)),
    "nan": (np.full(SHAPE, np.nan + 0j), np.ones(SHAPE)),
    "infinity": (np.where(np.eye(*SHAPE) > 0, np.inf, star()), lit_in_the_middle()),
    "coverage nan": (star(), np.where(np.eye(*SHAPE) > 0, np.nan, 1)),
    "one pixel": (np.ones((1, 1), complex), np.ones((1, 1))),
    "one column": (np.ones((500, 1), complex), np.ones((500, 1))),
    "one lit pixel": (star(), np.eye(*SHAPE) * np.eye(SHAPE[0])[:, :1]),
    "huge": (star().astype(complex) * 1e30, np.full(SHAPE, 1e30)),
    "noise of all phases": (
        np.exp(2j * np.pi * np.random.default_rng(0).random(SHAPE)),
        np.ones(SHAPE),
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_inputs_are_drawn_without_warnings(tmp_path, figures, name):
    wave, coverage = AWKWARD[name]
    path = draw_result(reconstruction(object=wave, coverage=coverage), tmp_path / "picture.png")
    assert max(decode(path).shape) > 500
    known = np.isfinite(wave) & (coverage > 0)
    known = known[covered_box(coverage, 0)] if (coverage > 0).any() else known
    for axes in figures[0].axes[::2]:
        np.testing.assert_array_equal(np.ma.getmaskarray(axes.images[0].get_array()), ~known)


@pytest.mark.parametrize(
    ("wave", "coverage"),
    [
        (star().real, np.ones(SHAPE)),
        (star(), np.ones((60, 81))),
        (star(), star()),
        (star()[None], np.ones(SHAPE)),
    ],
)
@pytest.mark.parametrize("draw", [draw_amplitude, draw_phase])
def test_arrays_that_do_not_fit_are_refused(tmp_path, draw, wave, coverage):
    with pytest.raises(ShapeError):
        draw(wave, coverage, tmp_path / "picture.png")
    assert not list(tmp_path.iterdir())


def test_result_shows_phase_and_amplitude_and_no_ticks(tmp_path, figures):
    path = draw_result(reconstruction(), tmp_path / "result.png")
    figure = figures[0]
    assert texts(figure) == ["phase", "amplitude"]
    panels = [axes for axes in figure.axes if axes.images]
    assert [len(axes.get_xticks()) + len(axes.get_yticks()) for axes in panels] == [0, 0]
    assert [axes.texts[0].get_text() for axes in panels] == ["100 nm", "100 nm"]
    height, width, _ = decode(path).shape
    assert 1.5 * height < width < 2060


def test_write_pictures_writes_the_five_and_makes_the_folder(tmp_path):
    rows = [{"epoch": 0, "step": 10, "seconds": 1.0, "train_loss": 1.0, "val_loss": None}]
    paths = write_pictures(reconstruction(), rows, tmp_path / "new" / "folder")
    names = ["amplitude.png", "phase.png", "probe.png", "coverage.png", "loss.png"]
    assert paths == [tmp_path / "new" / "folder" / name for name in names]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(names)
    for path in paths:
        assert min(decode(path).shape[:2]) > 300


def test_a_picture_replaces_an_older_one_and_a_folder_is_refused(tmp_path):
    target = tmp_path / "amplitude.png"
    target.write_text("old")
    draw_amplitude(star(), np.ones(SHAPE), target)
    assert decode(target).ndim == 3
    (tmp_path / "phase.png").mkdir()
    with pytest.raises(OutputError):
        draw_phase(star(), np.ones(SHAPE), tmp_path / "phase.png")


STYLE = {
    "text.usetex": True,
    "axes.grid": True,
    "figure.autolayout": True,
    "figure.dpi": 37,
    "savefig.bbox": "tight",
    "image.origin": "lower",
    "image.interpolation": "bilinear",
    "image.cmap": "jet",
    "axes.facecolor": "black",
    "figure.facecolor": "black",
    "text.color": "white",
    "xtick.color": "white",
    "font.size": 30,
    "lines.marker": "s",
}


def test_the_users_own_style_changes_nothing(tmp_path):
    def draw_some(folder):
        return [
            draw_phase(star(), lit_in_the_middle(), folder / "phase.png", 1e-8),
            draw_probe(star((16, 16))[None], folder / "probe.png", 1e-8),
        ]

    plain = draw_some(tmp_path / "plain")
    with matplotlib.rc_context(STYLE):
        styled = draw_some(tmp_path / "styled")
    for first, second in zip(plain, styled, strict=True):
        assert decode(first).shape == decode(second).shape
        differing = (decode(first) != decode(second)).any(axis=-1).mean()
        assert differing < 0.01, first.name  # ticks keep the style's distances
