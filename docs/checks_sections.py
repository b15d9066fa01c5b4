"""The sections of checks.md, made of the code: python docs/checks_sections.py writes them.

Meaning and source are the docstring of each check; limits and remedies are what it really asks
for, overheard while it looks at a good scan, at one with the zero frequency in the corner, and at
a mirrored one. A test holds the page to this.
"""

import inspect
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

from ptychopinn.config import SimulationConfig
from ptychopinn.preflight import light_checks, position_checks, probe_checks
from ptychopinn.preflight.checks import CHECKS, Check
from ptychopinn.preflight.facts import Facts, gather
from ptychopinn.preflight.findings import Finding
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate

PAGE = Path(__file__).parent / "checks.md"
#: The sections stand below this heading, at the end of the page.
HEADING = "## All checks\n"


@dataclass
class Heard:
    """What a check asks for; stands in for the functions that judge."""

    name: str = ""
    limits: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    def finding(self, name: str, verdict: str, found: str, remedy: str) -> Finding:
        """Write down the remedy, whatever the verdict."""
        self._keep(self.remedies, remedy)
        return Finding(name, verdict, found)

    def above(self, value: float, warn: float, fail: float) -> str:  # noqa: ARG002
        """Write down the limits of a figure that should be large."""
        fails = f", fails below {fail:.3g}" if fail > 0 else ", never fails"
        self._keep(self.limits, f"Warns below {warn:.3g}{fails}.")
        return "pass"

    def below(self, value: float, warn: float, fail: float) -> str:  # noqa: ARG002
        """Write down the limits of a figure that should be small."""
        fails = f", fails above {fail:.3g}" if np.isfinite(fail) else ", never fails"
        self._keep(self.limits, f"Warns above {warn:.3g}{fails}.")
        return "pass"

    def look(self, check: Check, facts: Facts) -> None:
        """Let a check look at a scan, and listen."""
        with ExitStack() as stack:
            for module in (light_checks, position_checks, probe_checks):
                for name in ("finding", "above", "below"):
                    if hasattr(module, name):
                        stack.enter_context(patch.object(module, name, getattr(self, name)))
            found = check(facts)
        self.name = found.name
        self._keep(self.remedies, found.remedy)

    @staticmethod
    def _keep(lines: list[str], line: str) -> None:
        if line and line not in lines:
            lines.append(line)


def sections() -> str:
    """Return the sections of all checks, in the order in which they are shown."""
    seen = [gather(scan, 200) for scan in _scans()]
    return "\n".join(_section(check, seen) for check in CHECKS)


def _scans() -> list[Scan]:
    settings = SimulationConfig(n=64, patterns=120, object="dead_leaves", photons=1e6, step_px=4.0)
    good = simulate(settings)
    counts = np.asarray(good.patterns)
    spoilt = np.fft.ifftshift(counts, axes=(1, 2)), counts[:, :, ::-1]
    return [good, *(replace(good, patterns=np.ascontiguousarray(made)) for made in spoilt)]


def _section(check: Check, seen: list[Facts]) -> str:
    heard = Heard()
    for facts in seen:
        heard.look(check, facts)
    meaning = (inspect.getdoc(check) or "").replace("``", "`")
    advice = [*heard.limits, f"*Remedy:* {'; or '.join(heard.remedies)}."]
    return "\n".join([f"### {heard.name}", "", meaning, "", *advice, ""])


def main() -> None:
    """Write the sections into the page."""
    before = PAGE.read_text(encoding="utf-8").split(HEADING)[0]
    PAGE.write_text(f"{before}{HEADING}\n{sections()}", encoding="utf-8")


if __name__ == "__main__":
    main()
