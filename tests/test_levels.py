"""The table of levels in the architecture, held by reading every import."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src"
PACKAGES = ("ptychopinn", "ptycho", "ptycho_torch")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

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
    {"ptycho"},
    {"ptycho_torch"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# The records are read by the other modules of their level; they import none of them.
SHARED_RECORDS = "scan"
HEAVY = {"matplotlib": {"report"}, "lightning": {"data", "model", "training", "ptycho_torch"}}


def home(path: Path) -> str:
    """What has a level: a part of ptychopinn, or one of the packages with the original names."""
    package, *parts = path.relative_to(ROOT).parts
    return parts[0].removesuffix(".py") if package == "ptychopinn" else package


def imports(source: str) -> list[tuple[str, int]]:
    """Modules and lines; of ``from package import name`` both package and name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return found


def homes(source: str) -> list[tuple[str, int]]:
    """Where the imports of our own packages lead to; ptychopinn itself is that of its whole."""
    found = []
    for module, line in imports(source):
        package, _, rest = module.partition(".")
        if package in PACKAGES:
            part = rest.partition(".")[0] or package
            found.append((part if package == "ptychopinn" else package, line))
    return found


def too_high(here: str, source: str) -> list[str]:
    """Imports that a part may not have; what is on no level, as names of the whole, is too high."""
    return [
        f"line {line}: {here} may not import {there}"
        for there, line in homes(source)
        if there not in (here, SHARED_RECORDS) and not LEVEL.get(there, len(LEVELS)) < LEVEL[here]
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_only_from_below(path):
    here = home(path)
    if here in ("__init__", "__main__"):
        return
    assert here in LEVEL, f"{here} stands on no level"
    assert too_high(here, path.read_text()) == []
    if here == SHARED_RECORDS:
        assert {there for there, _ in homes(path.read_text())} <= {"axes", "errors"}


@pytest.mark.parametrize(
    ("here", "line"),
    [
        ("physics", "from ptychopinn import training"),
        ("physics", "from ptychopinn import train"),
        ("physics", "import ptychopinn"),
        ("io", "from ptychopinn.data import normalise"),
        ("cli", "from ptycho import params"),
        ("training", "import ptycho_torch.model"),
        ("ptycho", "from ptycho_torch.scans import read_folder"),
    ],
)
def test_an_import_from_above_is_found(here, line):
    assert len(too_high(here, line)) == 1


def test_imports_from_below_are_allowed():
    below = (
        "from ptychopinn import config\nfrom ptychopinn.io.atomic import replacing\nimport ptycho"
    )
    assert too_high("ptycho_torch", below) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_stand_at_the_top(path):
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert id(node) in top, f"{path}:{node.lineno}: import inside a function"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_keep_to_their_rooms(path):
    for module, line in imports(path.read_text()):
        root = module.partition(".")[0]
        if root in HEAVY:
            assert home(path) in HEAVY[root], f"{path}:{line}: {root} is imported"
