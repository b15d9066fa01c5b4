"""Where another program is installed, it reads what this package writes."""

import pytest

from tests.io import peers_read


@pytest.mark.parametrize(
    ("module", "read"),
    [
        ("cdtools", peers_read.read_by_cdtools),
        ("ptychodus", peers_read.read_by_ptychodus),
        ("PtyLab", peers_read.read_by_ptylab),
    ],
)
def test_peers_read_what_is_written(tmp_path, module, read):
    pytest.importorskip(module, reason=f"{module} is not installed; make test-interop")
    peers_read.write(tmp_path)
    assert max(read(tmp_path).values()) < 1e-6
