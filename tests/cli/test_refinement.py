"""Refinement by the flags of train and reconstruct."""

import json

import numpy as np
import pytest

from ptychopinn.bundle import load_bundle
from ptychopinn.cli.main import main
from ptychopinn.io import read_product, write_scan_npz
from tests.conftest import make_scan
from tests.refinement.test_refine import bent


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder with scan.npz, out of focus, and a bundle whose probe was refined."""
    folder = tmp_path_factory.mktemp("refined")
    write_scan_npz(folder / "scan.npz", bent(make_scan(24, side=5, photons=1e6, step=3.0)))
    code = main(
        [
            *("train", str(folder / "scan.npz"), "-o", str(folder / "run"), "--max-steps", "1"),
            *("--refine-probe", "true", "--refine-sweeps", "3", "--logger", "none"),
            *("--width", "4", "--depth", "1", "--stages", "2", "--subsets", "2"),
        ]
    )
    assert code == 0
    return folder


def test_training_draws_the_change_and_reconstruct_takes_the_probe_of_the_bundle(trained):
    assert (trained / "run" / "refinement.png").exists()
    bundle = load_bundle(trained / "run")
    given = {}
    for name, flags in (("own", ()), ("bundle", ("--probe", "bundle"))):
        arguments = ["reconstruct", trained / "scan.npz", "--bundle", trained / "run", *flags]
        assert main([*map(str, arguments), "--checks", "false", "-o", str(trained / name)]) == 0
        given[name] = read_product(trained / name / "reconstruction.h5").probe
        assert not (trained / name / "refinement.png").exists()
    np.testing.assert_allclose(given["bundle"], bundle.probe, rtol=1e-3)
    assert np.abs(given["own"] - bundle.probe).max() > 0.01 * np.abs(bundle.probe).max()


def test_training_draws_where_positions_went_and_reconstruct_takes_them(trained):
    run = trained / "points"
    arguments = [
        *("train", trained / "scan.npz", "-o", run, "--max-steps", 1, "--logger", "none"),
        *("--refine-positions", "points", "--refine-sweeps", 4, "--networks", 0),
        *("--stages", 2, "--subsets", 2),
    ]
    assert main(list(map(str, arguments))) == 0
    assert (run / "refinement.png").exists()
    image = ["reconstruct", trained / "scan.npz", "--bundle", run, "-o", trained / "moved"]
    assert main([*map(str, image), "--checks", "false"]) == 0
    made = read_product(trained / "moved" / "reconstruction.h5")
    np.testing.assert_allclose(made.positions_px, load_bundle(run).positions_px, atol=1e-9)
    assert (trained / "moved" / "refinement.png").exists()


def test_reconstruct_refines_and_says_so(trained):
    arguments = [
        *("reconstruct", trained / "scan.npz", "--generator", "pie", "--checks", "false"),
        *("--refine-probe", "true", "--probe-modes", 2, "--refine-positions", "points"),
        *("--refine-sweeps", 6, "-o", trained / "image"),
    ]
    assert main(list(map(str, arguments))) == 0
    assert (trained / "image" / "refinement.png").exists()
    metrics = json.loads((trained / "image" / "metrics.json").read_text())
    assert metrics["provenance"]["refinement"]["sweeps"] == 6
    assert "refine_probe: true" in (trained / "image" / "config.yaml").read_text()
    made = read_product(trained / "image" / "reconstruction.h5")
    assert made.probe.shape == (2, 24, 24)
    assert made.start_probe.shape == (1, 24, 24)
    assert made.start_positions_px.shape == made.positions_px.shape


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--probe", "bundle"), "wants a bundle; add --bundle"),
        (("--probe-modes", "2"), "add --refine-probe true"),
        (("--refine-while-training", "true"), "but nothing is refined; add --refine-probe true"),
        (
            ("--refine-probe", "true", "--probe-modes", "40"),
            "found 40 incoherent modes, wanted 1 to 24",
        ),
        (("--refine-positions", "all"), "refine_positions"),
    ],
)
def test_refusals_say_one_sentence(trained, capsys, flags, sentence):
    target = trained / sentence.split()[0]
    arguments = ["reconstruct", str(trained / "scan.npz"), "--generator", "pie", *flags]
    assert main([*arguments, "-o", str(target)]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not target.exists()
