"""The page of the checks says what the code does."""

import re

from docs.checks_sections import HEADING, PAGE, sections


def test_the_page_has_every_check_with_its_limits_and_remedy():
    before, written = PAGE.read_text(encoding="utf-8").split(HEADING)
    assert written.strip() == sections().strip(), "run python docs/checks_sections.py"
    names = re.findall("^### (.*)$", written, re.MULTILINE)
    assert written.count("*Remedy:* ") == len(names)
    rows = [line for line in before.splitlines() if line.startswith("| ")]
    named = set(re.findall("`([^`]+)`", "".join(rows)))
    assert len(named) > 5
    assert named <= set(names)
