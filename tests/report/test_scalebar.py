import math

import numpy as np
import pytest

from ptychopinn.report.scalebar import scale_bar


@pytest.mark.parametrize(
    ("width_px", "pixel_size_m", "label", "length_px"),
    [
        (400, 1e-8, "1 µm", 100),
        (399, 0.8e-8, "500 nm", 62.5),
        (100, 1e-9, "20 nm", 20),
        (1000, 1e-6, "200 µm", 200),
        (100, 1e-11, "200 pm", 20),
        (100, 1e-3, "20 mm", 20),
        (100, 5.0, "100 m", 20),
        (10, 1e-12, "2 pm", 2),
    ],
)
def test_labels_and_lengths(width_px, pixel_size_m, label, length_px):
    bar = scale_bar(width_px, pixel_size_m)
    assert bar.label == label
    assert bar.length_px == pytest.approx(length_px)


def test_bar_is_round_and_takes_its_share_at_any_scale():
    for pixel_size in np.geomspace(1e-11, 1e-2, 500):
        bar = scale_bar(480, pixel_size)
        assert 0.12 * 0.999 <= bar.length_px / 480 <= 0.3 * 1.001
        digits = bar.length_m / 10 ** math.floor(math.log10(bar.length_m * 1.001))
        assert digits == pytest.approx(round(digits))
        assert round(digits) in (1, 2, 5)
        number, unit = bar.label.split()
        factor = {"m": 1, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "pm": 1e-12}[unit]
        assert float(number) * factor == pytest.approx(bar.length_m)


@pytest.mark.parametrize("size", [None, 0.0, -1e-9, math.nan, math.inf])
def test_no_bar_without_a_pixel_size(size):
    assert scale_bar(100, size) is None
