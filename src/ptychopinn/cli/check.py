"""``ptychopinn check``."""

import json
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ptychopinn.config import DataConfig
from ptychopinn.io import read_scan
from ptychopinn.preflight import Finding, check_scan, quick_checks, worst
from ptychopinn.scan import Scan

#: Exit code of a command that ran, and whose answer is no.
FAILED = 1
_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Check a scan, print what was found, and return 1 when something fails."""
    scan = read_scan(parsed.scan, DataConfig.from_dict(settings["data"]))
    findings = check_scan(scan)
    verdict = worst(findings)
    if parsed.json:
        answer = {"scan": str(parsed.scan), "verdict": verdict, "checks": _plain(findings)}
        print(json.dumps(answer, indent=2))
    else:
        Console().print(_table(str(parsed.scan), findings))
        print(_summary(findings))
    return FAILED if verdict == "fail" else 0


def checked(scan: Scan) -> list[dict[str, str]]:
    """Make the quick checks before a run; say in one line each what is not as it should be.

    Returns:
        All findings as plain values, for the provenance of the run.
    """
    findings = quick_checks(scan)
    for found in findings:
        if found.verdict != "pass":
            print(f"{found.verdict}: {found.name}: {found.found}; {found.remedy}")
    return _plain(findings)


def _plain(findings: list[Finding]) -> list[dict[str, str]]:
    return [found.to_dict() for found in findings]


def _table(title: str, findings: list[Finding]) -> Table:
    table = Table("check", "verdict", "found", "what to do", title=title)
    for found in findings:
        verdict = Text(found.verdict, style=_COLOURS[found.verdict])
        table.add_row(found.name, verdict, Text(found.found), Text(found.remedy))
    return table


def _summary(findings: list[Finding]) -> str:
    counts = {kind: sum(found.verdict == kind for found in findings) for kind in _COLOURS}
    said = f"{counts['pass']} as they should be, {counts['warn']} worth a look, "
    return said + f"{counts['fail']} that spoil the image"
