"""The main job through the command line: it must give a good image, not only files."""

import csv
import json

import h5py
import numpy as np
import pytest
import yaml

from tests.cli.conftest import run

RESULTS = {
    "reconstruction.h5",
    "amplitude.png",
    "phase.png",
    "probe.png",
    "coverage.png",
    "loss.png",
    "metrics.json",
    "history.csv",
    "config.yaml",
    "report.html",
}


def evaluated(folder, reference, *options):
    answer = run("evaluate", folder / "reconstruction.h5", "--reference", reference, *options)
    assert answer.code == 0, answer.err
    return json.loads((folder / "metrics.json").read_text())["against_reference"]["metrics"]


@pytest.fixture(scope="module")
def trained(small_scan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    answer = run(
        *("train", small_scan, "-o", folder, "--region", "left", "--max-steps", 30),
        *("--epoch-steps", 10, "--stages", 10, "--width", 8, "--group-size", 9),
    )
    assert answer.code == 0, answer.err
    return folder


def test_train_on_half_then_reconstruct_all(small_scan, trained, tmp_path):
    assert {"wts.h5.zip", "history.csv", "loss.png", "config.yaml"} <= {
        path.name for path in trained.iterdir()
    }
    with (trained / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["10", "20", "30"]
    assert yaml.safe_load((trained / "config.yaml").read_text())["data"]["region"] == "left"
    answer = run("reconstruct", small_scan, "--bundle", trained / "wts.h5.zip", "-o", tmp_path)
    assert answer.code == 0, answer.err
    assert {path.name for path in tmp_path.iterdir()} == RESULTS
    assert "patterns/s" in answer.out
    assert "held-out patterns" in answer.out
    refused = run(
        *("reconstruct", small_scan, "--bundle", trained, "--generator", "cnn", "-o", tmp_path)
    )
    assert refused.code == 2
    assert "beside the bundle" in refused.err
    learned = evaluated(tmp_path, small_scan)
    assert learned["phase_correlation"] > 0.95
    assert learned["phase"]["ssim"] > 0.8
    plain = tmp_path / "pie"
    assert (
        run("reconstruct", small_scan, "--generator", "pie", "--stages", 5, "-o", plain).code == 0
    )
    assert learned["phase"]["rmse"] < evaluated(plain, small_scan)["phase"]["rmse"]


def test_the_product_is_whole(small_scan, tmp_path):
    assert run("reconstruct", small_scan, "-o", tmp_path, "--stages", 3).code == 0
    with h5py.File(tmp_path / "reconstruction.h5") as file:
        image = file["object"][()]
        assert image.shape[0] == 1
        assert image.dtype == np.complex64
        for name in ("probe", "probe_position_x_m", "probe_position_indexes", "coverage"):
            assert name in file
        story = json.loads(file.attrs["ptychopinn"])
    assert "reconstruct" in json.dumps(story)
    assert "versions" in json.dumps(story)
    scan = np.load(small_scan)
    assert image.shape[1:] == scan["objectGuess"].shape


def test_inspect_says_what_it_sees(small_scan):
    answer = run("inspect", small_scan)
    assert answer.code == 0
    for word in ("PtychoPINN NPZ", "diff3d", "120", "photons per pattern", "linear overlap"):
        assert word in answer.out
    assert "read as counts" in answer.err


def test_flag_over_file_over_default(tmp_path):
    config = tmp_path / "a.yaml"
    config.write_text("training: {seed: 5, batch_size: 7}\n")
    answer = run("train", "x.npz", "--config", config, "--seed", 6, "--print-config")
    assert answer.code == 0, answer.err
    values = yaml.safe_load(answer.out)
    assert values["training"]["seed"] == 6
    assert values["training"]["batch_size"] == 7
    assert values["generator"]["name"] == "unrolled"


def test_a_file_of_all_settings_serves_every_command(tmp_path):
    """What a run writes beside its results holds sections that another command has no flags for."""
    config = tmp_path / "config.yaml"
    values = {"training": {"seed": 5}, "inference": {"stages": 7}, "data": {"crop": 24}}
    config.write_text(yaml.safe_dump(values))
    for command, own in (("train", "training"), ("reconstruct", "inference")):
        answer = run(command, "x.npz", f"--config={config}", "--print-config")
        assert answer.code == 0, answer.err
        found = yaml.safe_load(answer.out)
        assert values[own].items() <= found[own].items()
        assert found["data"]["crop"] == 24


@pytest.mark.parametrize(
    "command", ["", "demo", "simulate", "inspect", "train", "reconstruct", "evaluate"]
)
def test_help_teaches(command):
    answer = run(*([command] if command else []), "--help")
    assert answer.code == 0
    assert "ptychopinn" in answer.out
    assert len(answer.out) > 200
    assert answer.err == ""


def test_part_of_the_real_scan(real_scan_files, tmp_path):
    """Train on a strip, reconstruct a larger part, judge where training never looked."""
    scan, reference = real_scan_files
    answer = run(
        *("train", scan, "--probe", reference, "--region", "y:75:200,x:150:300", "-o", tmp_path),
        *("--max-steps", 8, "--epoch-steps", 4, "--threads", 1, "--group-size", 9),
    )
    assert answer.code == 0, answer.err
    image = tmp_path / "image"
    answer = run(
        *("reconstruct", scan, "--probe", reference, "--bundle", tmp_path, "-o", image),
        *("--inference.checks", "false", "--threads", 1),
    )
    assert answer.code == 0, answer.err
    found = evaluated(image, reference, "--region", "y:250:400,x:90:390")
    assert found["phase"]["rmse"] < 0.045
    assert found["phase"]["ssim"] > 0.91


def test_demo(tmp_path):
    answer = run("demo", "-o", tmp_path)
    assert answer.code == 0, answer.err
    assert "comparison.png" in answer.out
    assert (tmp_path / "comparison.png").stat().st_size > 10_000
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["against_reference"]["metrics"]["phase_correlation"] > 0.98
