"""What a disk that is really full gets: one sentence, exit code 2, nothing half-written."""

import pytest

from ptychopinn.bundle import BUNDLE_NAME, load_bundle
from ptychopinn.cli.main import main
from ptychopinn.training import CHECKPOINT_NAME
from tests.cli.conftest import run
from tests.cli.test_bad_input import refused
from tests.small_disk import files_on, small_disk

QUICK = ("--stages", 1, "--inference.checks", "false")


@pytest.fixture
def disk(request, tmp_path):
    with small_disk(tmp_path / "disk", request.param) as place:
        yield place


@pytest.mark.parametrize("disk", [100], indirect=True)
def test_a_result(small_scan, disk):
    refused(run("reconstruct", small_scan, "-o", disk, *QUICK), str(disk), "make room there")
    assert files_on(disk) == []
    refused(run("reconstruct", small_scan, "-o", disk / "new", *QUICK), "make room there")
    assert files_on(disk) == []


@pytest.mark.parametrize("disk", [60], indirect=True)
@pytest.mark.parametrize("name", ["x.cxi", "x.ptyd", "x.npz"])
def test_a_scan_in_another_format(small_scan, disk, name):
    refused(run("convert", small_scan, disk / name), name, "make room there")
    assert files_on(disk) == []


TRAINING = (
    *("--max-steps", 1, "--logger", "none", "--group-size", 9, "--refine-sweeps", 1),
    *("--refine-probe", "true", "--width", 4, "--depth", 2, "--stages", 2, "--subsets", 2),
)


def train(*arguments):
    return main([str(word) for word in ("train", *arguments, *TRAINING)])


@pytest.fixture(scope="module")
def whole(small_scan, tmp_path_factory):
    """Folder of a training that had room enough."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert train(small_scan, "-o", folder) == 0
    return folder


def pages(*files):
    """KiB that files take on a disk that counts in pages of 4 KiB."""
    return sum(-(-file.stat().st_size // 4096) * 4 for file in files)


def test_a_training_whose_pictures_find_no_room(small_scan, whole, tmp_path, capsys):
    texts = [whole / "config.yaml", whole / "history.csv"]
    kib = pages(whole / CHECKPOINT_NAME, whole / BUNDLE_NAME, *texts) + 12
    with small_disk(tmp_path / "disk", kib) as disk:
        capsys.readouterr()
        assert train(small_scan, "-o", disk) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert f"{disk / 'loss.png'}: cannot be written" in said
        assert f"The training is kept in {disk / BUNDLE_NAME}; pictures are missing" in said
        kept = sorted((CHECKPOINT_NAME, BUNDLE_NAME, *(text.name for text in texts)))
        assert files_on(disk) == kept
        assert load_bundle(disk / BUNDLE_NAME).statistics["steps"] == 1


def test_a_training_whose_bundle_finds_no_room(small_scan, whole, tmp_path, capsys):
    with small_disk(tmp_path / "disk", pages(whole / CHECKPOINT_NAME) + 12) as disk:
        capsys.readouterr()
        assert train(small_scan, "-o", disk) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert f"{disk / BUNDLE_NAME}: cannot be written" in said
        assert f"The training is kept in {disk / CHECKPOINT_NAME}; make room and go on" in said
        assert files_on(disk) == [CHECKPOINT_NAME]
