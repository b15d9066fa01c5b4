import numpy as np
import pytest

from ptychopinn.errors import ShapeError
from ptychopinn.report import draw_probe
from ptychopinn.report.probe import power_shares, share_in_words

from .conftest import decode, panel_pixels, texts


def spot(n=24, phase=0.0):
    y, x = np.indices((n, n)) - n // 2
    return np.exp(-(x**2 + y**2) / 20.0 + 1j * phase)


def test_shares_add_up_and_skip_what_is_not_finite():
    probe = np.stack([spot(), 0.5 * spot(), np.full((24, 24), np.nan)])
    np.testing.assert_allclose(power_shares(probe), [0.8, 0.2, 0])
    np.testing.assert_array_equal(power_shares(np.zeros((2, 4, 4), complex)), 0)


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.8857, "88.6 %"), (0.0123, "1.2 %"), (0.0057, "0.57 %"), (0.0, "0 %")],
)
def test_shares_in_words(share, words):
    assert share_in_words(share) == words


@pytest.mark.parametrize("modes", [1, 5])
def test_every_mode_has_a_panel_and_a_title(tmp_path, figures, modes):
    scale = 0.5 ** np.arange(modes)
    path = draw_probe(scale[:, None, None] * spot(), tmp_path / "probe.png", 1e-8)
    figure = figures[0]
    assert len(figure.axes) == modes + 1  # and the colour wheel
    shares = scale**2 / (scale**2).sum()
    titles = [f"mode {m + 1}: {share_in_words(s)} of the power" for m, s in enumerate(shares)]
    assert texts(figure)[:modes] == titles
    assert max(decode(path).shape) <= 2060
    assert [text.get_text() for text in figure.axes[0].texts] == ["50 nm"]


def test_phase_is_hue_and_amplitude_is_brightness(tmp_path, figures):
    probe = np.stack([spot(), 0.1 * spot(phase=np.pi)])
    path = draw_probe(probe, tmp_path / "probe.png")
    first, second = (panel_pixels(path, axes, (24, 24)).astype(int) for axes in figures[0].axes[:2])
    red, cyan = first[12, 12], second[12, 12]
    assert red[0] - red[2] > 60
    assert cyan[2] - cyan[0] > 60
    assert second[12, 12].sum() > 350  # weak modes have a brightness of their own
    line = first[12, 12:].sum(axis=-1)
    assert (np.diff(line) <= 0).all()
    assert line[-1] < 20


def test_first_row_is_on_top(tmp_path, figures):
    probe = np.full((1, 24, 24), 0.01 + 0j)
    probe[0, 3, 20] = 1
    probe[0, 4, 20] = 1
    path = draw_probe(probe, tmp_path / "probe.png")
    brightness = panel_pixels(path, figures[0].axes[0], (24, 24)).sum(axis=-1)
    assert np.argwhere(brightness > 300).tolist() == [[3, 20], [4, 20]]


def test_only_the_strongest_of_many_modes_are_drawn(tmp_path, sketches):
    scale = np.ones(20)
    scale[[1, 5]] = 0.01
    draw_probe(scale[:, None, None] * spot(8), tmp_path / "probe.png")
    written = texts(sketches[0])
    assert [text.split(":")[0] for text in written[:12]] == [
        f"mode {m}" for m in (1, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14)
    ]
    assert written[-1].endswith("the 12 strongest of 20 modes")


@pytest.mark.filterwarnings("error")
def test_awkward_probes(tmp_path, figures):
    probe = np.zeros((4, 9, 9), dtype=np.complex64)
    probe[1] = np.nan
    probe[2, 4, 4] = 1
    probe[3, 0, 0] = np.inf
    path = draw_probe(probe, tmp_path / "probe.png")
    modes = [panel_pixels(path, axes, (9, 9)) for axes in figures[0].axes[:4]]
    assert (modes[0] == 0).all()
    assert (modes[1] == 0x9C).all()
    assert modes[2][4, 4].sum() > 350
    assert (modes[3][0, 0] == 0x9C).all()


@pytest.mark.parametrize("probe", [spot(), np.ones((1, 4, 4)), np.ones((1, 4, 5), complex)])
def test_other_shapes_are_refused(tmp_path, probe):
    with pytest.raises(ShapeError, match="probe"):
        draw_probe(probe, tmp_path / "probe.png")
