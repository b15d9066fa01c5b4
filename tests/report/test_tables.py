import io
import math

import numpy as np
import pytest
from rich.console import Console

from ptychopinn.evaluation import compare
from ptychopinn.report import metrics_table
from ptychopinn.report.tables import readable_name, readable_value


def rendered(metrics):
    """Return the rows as lists of cells, without the frame."""
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(metrics_table(metrics))
    lines = console.file.getvalue().splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    return [[cell for cell in row if cell] for row in rows]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("psnr_db", "PSNR (dB)"),
        ("ms_ssim", "MS-SSIM"),
        ("ms_ssim_scales", "MS-SSIM scales"),
        ("complex_nrmse", "complex NRMSE"),
        ("shift_px", "shift (px)"),
        ("ramp_rad_per_px", "ramp (rad/px)"),
        ("factor_phase_rad", "factor phase (rad)"),
        ("cycles_per_px", "frequency (cycles/px)"),
        ("half_period_m", "half period"),
        ("amplitude", "amplitude"),
    ],
)
def test_names(name, words):
    assert readable_name(name) == words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mse", 0.00123456, "0.001235"),
        ("scales", 5, "5"),
        ("psnr_db", None, "-"),
        ("psnr_db", math.nan, "-"),
        ("reached_end", True, "yes"),
        ("reached_end", False, "no"),
        ("shift_px", [0.5, -1.0], "(0.5, -1)"),
        ("half_period_m", 9.6e-9, "9.6 nm"),
        ("half_period_m", 1e-6, "1 µm"),
        ("half_period_m", 0.0, "0 m"),
        ("half_period_m", 3e-14, "0.03 pm"),
        ("half_period_m", None, "-"),
    ],
)
def test_values(name, value, words):
    assert readable_value(name, value) == words


def test_sections_with_the_same_figures_stand_beside_each_other():
    rows = rendered(
        {
            "metrics": {
                "amplitude": {"ssim": 0.9, "psnr_db": 30.0},
                "phase": {"ssim": 0.8, "psnr_db": None},
                "complex_nrmse": 0.1,
            }
        }
    )
    assert rows == [
        ["metrics"],
        ["complex NRMSE", "0.1"],
        ["amplitude", "phase"],
        ["SSIM", "0.9", "0.8"],
        ["PSNR (dB)", "30", "-"],
    ]


def test_sections_without_common_figures_stand_below_each_other():
    rows = rendered({"first": {"a": 1}, "second": {"b": {"c": 2.5}}, "third": {"d": "word"}})
    assert rows == [["first"], ["a", "1"], ["second: b"], ["c", "2.5"], ["third"], ["d", "word"]]


def test_curves_and_empty_texts_are_left_out():
    rows = rendered({"frc": {"curve": {"n": list(range(7))}}, "note": "", "pair": [1, 2]})
    assert rows == [["pair", "(1, 2)"]]


def test_names_of_files_are_no_markup():
    assert rendered({"reference": "[bold]truth[/nonsense].npz"}) == [
        ["reference", "[bold]truth[/nonsense].npz"]
    ]


def test_nothing_is_said():
    assert rendered({}) == [["no figures"]]


def test_a_real_comparison_is_shown_whole():
    rng = np.random.default_rng(0)
    reference = np.exp(1j * rng.normal(0, 0.3, (40, 50)))
    record = compare(reference * 1.1, reference, pixel_size_m=1e-8).to_dict()
    rows = rendered(record)
    scores = record["metrics"]
    assert ["RMSE", f"{scores['amplitude']['rmse']:.4g}", f"{scores['phase']['rmse']:.4g}"] in rows
    assert ["pixel size", "10 nm"] in rows
    assert ["FRC: crossings", "half", "one seventh", "half bit"] in rows
    assert ["paper", "amplitude", "phase"] in rows
