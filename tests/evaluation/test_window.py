import math

import numpy as np
import pytest

from ptychopinn.evaluation.window import edge_taper, hann_window


@pytest.mark.parametrize("shape", [(8, 8), (7, 12)])
def test_hann_window(shape):
    window = hann_window(shape)
    for y in range(shape[0]):
        for x in range(shape[1]):
            expected = (
                math.sin(math.pi * (y + 0.5) / shape[0]) * math.sin(math.pi * (x + 0.5) / shape[1])
            ) ** 2
            assert window[y, x] == pytest.approx(expected)


def test_edge_taper_falls_towards_every_zero_and_the_border():
    weight = np.full((40, 50), 2.0)
    weight[20, 25] = 0
    taper = edge_taper(weight, width_px=4)
    assert taper[20, 25] == 0
    assert taper[10, 10] == 2
    assert taper[0, 12] == pytest.approx(2 * math.sin(math.pi / 2 * 1 / 5) ** 2)
    assert taper[20, 27] == pytest.approx(2 * math.sin(math.pi / 2 * 2 / 5) ** 2)
    assert taper[21, 26] == pytest.approx(2 * math.sin(math.pi / 2 * math.sqrt(2) / 5) ** 2)
