import pytest

from ptychopinn.errors import ConfigError, DataError
from ptychopinn.physics.modes import require_modes


@pytest.mark.parametrize(("count", "n"), [(1, 8), (8, 8), (64, 64), (64, 4096)])
def test_modes_up_to_the_pattern_size_and_64(count, n):
    require_modes("modes", count, n, "give fewer")


@pytest.mark.parametrize(
    ("count", "n", "least", "wanted"),
    [(0, 8, 1, "1 to 8"), (9, 8, 1, "1 to 8"), (65, 128, 1, "1 to 64"), (2, 32, 3, "3 to 32")],
)
def test_other_numbers_are_refused(count, n, least, wanted):
    with pytest.raises(ConfigError, match=f"modes: found {count} .*wanted {wanted} for .*fewer."):
        require_modes("modes", count, n, "give fewer", least=least)
    with pytest.raises(DataError):
        require_modes("modes", count, n, "give fewer", least=least, error=DataError)
