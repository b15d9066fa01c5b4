import json
from dataclasses import dataclass

import numpy as np

from ptychopinn.evaluation.record import to_plain


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    count: int


@dataclass(frozen=True)
class Outer:
    inner: Inner
    figures: dict
    pair: tuple


def test_records_become_plain_json():
    record = Outer(
        Inner(np.array([1.5, np.nan, np.inf]), 3),
        {"good": np.float64(2.0), "bad": float("-inf"), "none": None, "count": np.int64(4)},
        (True, "word"),
    )
    plain = to_plain(record)
    assert plain == {
        "inner": {"values": [1.5, None, None], "count": 3},
        "figures": {"good": 2.0, "bad": None, "none": None, "count": 4},
        "pair": [True, "word"],
    }
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
