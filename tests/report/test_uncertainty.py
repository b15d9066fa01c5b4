import numpy as np
import pytest

from ptychopinn.errors import ShapeError
from ptychopinn.report import draw_uncertainty
from tests.report.conftest import panel_pixels, texts


def test_larger_deviations_are_brighter_and_the_unknown_is_grey(tmp_path, figures):
    deviation = np.tile(np.linspace(0.01, 0.1, 40, dtype=np.float32), (30, 1))
    deviation[:3] = np.nan
    coverage = np.ones((30, 40), np.float32)
    path = draw_uncertainty(deviation, deviation[:, ::-1], coverage, tmp_path / "u.png", 1e-8)
    phase, amplitude = (figures[0].axes[i] for i in (0, 2))
    brightness = [panel_pixels(path, axes, (30, 40)).mean(axis=-1) for axes in (phase, amplitude)]
    assert brightness[0][10, 3] > brightness[0][10, 30] + 50
    assert brightness[1][10, 30] > brightness[1][10, 3] + 50
    assert len(set(brightness[0][1])) == 1
    assert "uncertainty of the phase" in texts(figures[0])
    with pytest.raises(ShapeError):
        draw_uncertainty(deviation[1:], deviation, coverage, tmp_path / "u.png")
