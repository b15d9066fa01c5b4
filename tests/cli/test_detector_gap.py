"""A gap and dead pixels that nobody marked, in the real measurement: found, with little harm."""

import json

import numpy as np
import pytest

from tests.cli.conftest import run

OPTIONS = ("--generator", "pie", "--stages", 15, "--inference.checks", "false")
REGION = "y:250:400,x:90:390"


def phase_rmse(scan, reference, folder, *options):
    for answer in (
        run("reconstruct", scan, "--probe", reference, *OPTIONS, *options, "-o", folder),
        run(
            *("evaluate", folder / "reconstruction.h5", "--reference", reference),
            *("--region", REGION),
        ),
    ):
        assert answer.code == 0, answer.err
    figures = json.loads((folder / "metrics.json").read_text())
    return figures["against_reference"]["metrics"]["phase"]["rmse"]


@pytest.mark.heavy
@pytest.mark.parametrize(("first_column", "most_worse"), [(84, 1.15), (70, 1.4)])
def test_gap_and_dead_pixels(real_scan_files, tmp_path, first_column, most_worse):
    """Columns 84 to 91 hold 11 % of the light, columns 70 to 77 no less than 16 %."""
    path, reference = real_scan_files
    with np.load(path) as file:
        arrays = dict(file)
    n = arrays["diff3d"].shape[-1]
    bad = np.random.default_rng(0).random((n, n)) < 0.01
    bad[:, first_column : first_column + 8] = True
    arrays["diff3d"] = np.where(bad, 0, arrays["diff3d"]).astype(np.uint16)
    hurt = tmp_path / "hurt.npz"
    np.savez(hurt, **arrays)
    whole = phase_rmse(path, reference, tmp_path / "whole")
    masked = phase_rmse(hurt, reference, tmp_path / "masked")
    ignored = phase_rmse(hurt, reference, tmp_path / "ignored", "--bad-pixels", "none")
    assert (tmp_path / "masked" / "mask.png").exists()
    assert not (tmp_path / "whole" / "mask.png").exists()
    assert masked < most_worse * whole
    assert ignored > 2 * masked
