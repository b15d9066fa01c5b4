"""``ptycho_train`` and ``ptycho_inference`` as they are installed, on a part of a real scan."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ptycho.commands import inference, train
from ptychopinn.bundle import load_bundle
from ptychopinn.io import read_product
from tests.conftest import REAL_SCAN


def run(command: str, *arguments: object) -> subprocess.CompletedProcess:
    program = Path(sys.executable).with_name(command)
    if not program.exists():
        pytest.skip(f"{command} is not installed beside {sys.executable}")
    return subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def cut_scan(tmp_path_factory):
    """Patterns in a corner of the Siemens star, with the middle 32 pixels of detector and probe."""
    if not REAL_SCAN.exists():
        pytest.skip(f"the real measurement is not here: {REAL_SCAN}")
    place = tmp_path_factory.mktemp("cut") / "star.npz"
    with np.load(REAL_SCAN) as file:
        arrays = {key: file[key] for key in ("diff3d", "xcoords", "ycoords", "probeGuess")}
    near = (arrays["xcoords"] < 220) & (arrays["ycoords"] < 200)
    middle = slice(48, 80)
    far_field = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(arrays["probeGuess"], (-2, -1))))
    np.savez(
        place,
        diff3d=arrays["diff3d"][near][:, middle, middle],
        xcoords=arrays["xcoords"][near] / 4,
        ycoords=arrays["ycoords"][near] / 4,
        probeGuess=np.fft.fftshift(
            np.fft.ifft2(np.fft.ifftshift(far_field[..., middle, middle], (-2, -1))), (-2, -1)
        ),
    )
    return place


def test_train_and_inference(cut_scan, tmp_path, caplog):
    trained = run(
        "ptycho_train",
        *("--train_data_file", cut_scan, "--output_dir", tmp_path / "run"),
        *("--gridsize", 2, "--nepochs", 2, "--n_groups", 32, "--architecture", "cnn"),
        *("--batch_size", 8, "--n_filters_scale", 1, "--n-subsample", 40),
        *("--backend", "pytorch", "--torch-accelerator", "cpu", "--torch-logger", "none"),
        *("--torch-scheduler", "ReduceLROnPlateau", "--torch-enable-checkpointing"),
        *("--plateau_factor", 0.5, "--lr_warmup_epochs", 0, "--fno_modes", 4, "--fno-width", 8),
    )
    assert trained.returncode == 0, trained.stderr
    assert "GPU available" not in trained.stderr
    assert "Warning" not in trained.stderr
    bundle = load_bundle(tmp_path / "run")
    assert bundle.size.group_size == 4
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 3

    assert len(bundle.history) == 2

    options = ("--model_path", tmp_path / "run", "--test_data", cut_scan, "--visualize_probe")
    more = ("--output-dir", tmp_path / "image", "--nsamples", 16, "--K", 7, "--subsample_seed", 3)
    assert inference.main([str(word) for word in (*options, *more)]) == 0
    for said in ("n_groups = 16", "neighbor_count = 7", "subsample_seed = 3"):
        assert f"{said} has no effect here: every pattern is used" in caplog.text
    assert (tmp_path / "image" / "probe.png").exists()
    image = read_product(tmp_path / "image" / "reconstruction.h5").object
    assert np.isfinite(image).all()
    assert (tmp_path / "image" / "phase.png").exists()


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        (train.main, ["--train_data_file", "/no/such/file.npz"], "file.npz"),
        (train.main, [], "--train_data_file"),
        (train.main, ["--no_such_flag", "1"], "no_such_flag"),
        (inference.main, ["--model_path", "."], "both are needed"),
        # Settings are judged before files are read.
        (
            train.main,
            ["--train_data_file", "/no/such.npz", "--architecture", "nonsense"],
            "architecture: 'nonsense' is unknown",
        ),
        (
            inference.main,
            ["--model_path", "/none", "--test_data", "/none", "--architecture", "nonsense"],
            "architecture: 'nonsense' is unknown",
        ),
        (train.main, ["--train_data_file", "/no/such.npz", "--scheduler", "Slow"], "scheduler"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(command, arguments, said, capsys):
    assert command(arguments) == 2
    sentence = capsys.readouterr().err
    assert said in sentence
    assert len(sentence.strip().splitlines()) == 1
