"""What a check says: a verdict, what was found, and what to do."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "warn", "fail"]

_ORDER: tuple[Verdict, ...] = ("pass", "warn", "fail")


@dataclass(frozen=True)
class Finding:
    """The answer of one check."""

    name: str
    """What was looked at."""
    verdict: Verdict
    """pass: as it should be; warn: worth a look; fail: the image will be wrong."""
    found: str
    """What is there, with figures."""
    remedy: str = ""
    """What to do about it; empty where nothing is to be done."""

    def to_dict(self) -> dict[str, str]:
        """Return plain JSON values."""
        return dataclasses.asdict(self)


def finding(name: str, verdict: Verdict, found: str, remedy: str) -> Finding:
    """Return a finding whose remedy is only said when there is something to mend."""
    return Finding(name, verdict, found, "" if verdict == "pass" else remedy)


def above(value: float, warn: float, fail: float) -> Verdict:
    """Judge a value that should be large: below ``warn``, below ``fail``."""
    return "fail" if value < fail else "warn" if value < warn else "pass"


def below(value: float, warn: float, fail: float) -> Verdict:
    """Judge a value that should be small: above ``warn``, above ``fail``."""
    return "fail" if value > fail else "warn" if value > warn else "pass"


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict, pass of none."""
    return max((f.verdict for f in findings), key=_ORDER.index, default="pass")
