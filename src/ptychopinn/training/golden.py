"""The golden sample of a bundle: a small input whose answer is stored beside it."""

from ptychopinn.scan import PatternBatch

#: Patterns in the golden sample of a generator that takes any group size.
_PATTERNS = 4


def few_patterns(batch: PatternBatch) -> PatternBatch:
    """Return the first patterns of each group, without the truth."""
    few = slice(0, _PATTERNS)
    return batch._replace(
        counts=batch.counts[:, few],
        corners=batch.corners[:, few],
        fractions=batch.fractions[:, few],
        truth=None,
        members=None,
    )
