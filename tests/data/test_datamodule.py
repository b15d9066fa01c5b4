import numpy as np
import pytest

from ptychopinn.config import Config, DataConfig
from ptychopinn.data import datamodule
from ptychopinn.data.datamodule import ScanDataModule
from tests.conftest import make_scan


@pytest.mark.parametrize(("most", "held"), [(512, 16), (5, 5)])
def test_a_large_scan_is_not_validated_for_longer_than_it_trains(monkeypatch, most, held):
    monkeypatch.setattr(datamodule, "MOST_VALIDATED", most)
    scan = make_scan(16)
    data = ScanDataModule(scan, Config(data=DataConfig(validation_fraction=0.25)), 4)
    assert scan.n_patterns == 63
    assert len(data.validation_groups) == held
    assert len(data.train_groups) == 63 - held
    centres = [
        set(groups.groups.indices[:, 0]) for groups in (data.train_groups, data.validation_groups)
    ]
    assert not centres[0] & centres[1]
    assert np.unique(data.train_groups.groups.indices[:, 0]).size == 63 - held
