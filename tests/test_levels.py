"""The table of levels in the architecture, held by reading every import."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "ptychopinn"
FILES = sorted(SOURCE.rglob("*.py"))

LEVELS = [
    {"errors"},
    {"launcher"},
    {"axes", "config", "device", "processes", "symmetry"},
    {"scan", "physics", "evaluation"},
    {"io", "data", "generators", "simulation", "reassembly"},
    {"canvases", "refinement"},
    {"model", "preflight", "bundle_contents"},
    {"bundle"},
    {"training", "inference", "iterative", "report"},
    {"studies", "side_by_side", "doctor"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# The records are read by the other modules of their level; they import none of them.
SHARED_RECORDS = "scan"
HEAVY = {"matplotlib": {"report"}, "lightning": {"data", "model", "training"}}


def home(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.append((node.module, node.lineno))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_only_from_below(path):
    here = home(path)
    if here in ("__init__", "__main__"):
        return
    assert here in LEVEL, f"{here} stands on no level"
    for module, line in imports(path):
        if module.partition(".")[0] != "ptychopinn" or module == "ptychopinn":
            continue
        there = module.split(".")[1]
        allowed = there in (here, SHARED_RECORDS) or LEVEL[there] < LEVEL[here]
        assert allowed, f"{path.name}:{line}: {here} may not import {there}"
    if here == SHARED_RECORDS:
        below = {module.split(".")[1] for module, _ in imports(path) if "ptychopinn." in module}
        assert below <= {"axes", "errors"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_stand_at_the_top(path):
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert id(node) in top, f"{path}:{node.lineno}: import inside a function"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_heavy_libraries_keep_to_their_rooms(path):
    for module, line in imports(path):
        root = module.partition(".")[0]
        if root in HEAVY:
            assert home(path) in HEAVY[root], f"{path}:{line}: {root} is imported"
