"""What a disk that is really full gets: one sentence, exit code 2, nothing half-written."""

import pytest

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
