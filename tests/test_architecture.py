"""The rules of the house, read from the sources: layers, cycles, sizes, where imports stand.

Every test names the file and line at fault, and the rule. CONTRIBUTING.md says why the rules are
there.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAX_LINES = 600

# Low to high: a module imports its own layer and those below.
LAYERS = (
    ("errors", "config", "typing", "tree", "tree_util", "treedef", "treenode", "_kernels"),
    ("core",),
    ("ops",),
    ("interpreters",),
    ("compiler", "runtime"),
    ("higher_order",),
    ("FACES",),
    ("api", "ROOT", "ad_checkpoint", "custom_derivatives", "experimental"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}

# The compiler and the runtime see operators through the program only.
FORBIDDEN = {"compiler": {"ops", "interpreters"}, "runtime": {"ops", "interpreters"}}

# Where a package may be imported at all, and what a layer may import beside the standard library.
HOMES = {
    "ctypes": ("xform.runtime", "xform.kernels.runtime"),
    "llvmlite": ("xform.compiler", "xform.runtime", "xform.kernels"),
}
MAY_IMPORT = {"core": {"numpy", "ml_dtypes"}, "kernels": {"numpy", "llvmlite"}}

RULE_TABLES = ("rules", "jvps", "transposes", "batchers", "lowerings", "impls")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = ("xform", *parts) if parts[0] == "kernels" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(p): p for d in ("xform", "kernels") for p in sorted(ROOT.glob(f"{d}/**/*.py"))}


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def layer(module: str) -> str:
    """The layer of a module; the faces are every module of xform that no other layer names."""
    parts = module.split(".")
    if len(parts) == 1:
        return "ROOT"
    if parts[1] == "kernels":
        return "kernels"
    return parts[1] if parts[1] in RANK else "FACES"


def imported(module: str, node: ast.AST) -> list[str]:
    """The full names that an import statement asks for; none for any other node."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = module.split(".")
        if FILES[module].name != "__init__.py":
            package = package[:-1]
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, *([base] if base else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def imports(module: str, running: bool = False) -> Iterator[tuple[int, str]]:
    """Every import of a module: its line, and the full name asked for.

    With `running`, those that happen when the program runs: not the ones for type checkers.
    """
    tree = parse(FILES[module])
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if not running or id(node) not in typing_only:
            for name in imported(module, node):
                yield node.lineno, name


def target(name: str) -> str | None:
    """The module of ours that an imported name lies in."""
    while name:
        if name in FILES:
            return name
        name = name.rpartition(".")[0]
    return None


def place(module: str, line: int) -> str:
    return f"{FILES[module].relative_to(ROOT)}:{line}"


each_module = pytest.mark.parametrize("module", sorted(FILES))


@each_module
def test_imports_point_down(module):
    mine = layer(module)
    for line, name in imports(module):
        found = target(name)
        if found is None or found == module:
            continue
        theirs = layer(found)
        where = f"{place(module, line)}: {mine} may not import {found}"
        if mine == "kernels":
            assert theirs == "kernels", f"{where}; the kernels are a leaf"
            continue
        assert theirs != "kernels", f"{where}; write: from xform._kernels import ..."
        assert RANK[theirs] <= RANK[mine], f"{where}; it is a layer above"
        assert theirs not in FORBIDDEN.get(mine, ()), f"{where}; it sees rows in the program"


@each_module
def test_foreign_packages_stay_where_they_belong(module):
    allowed = MAY_IMPORT.get(layer(module))
    for line, name in imports(module):
        head = name.split(".")[0]
        where = f"{place(module, line)}: {head}"
        assert head != "kernels", f"{where}: write from xform._kernels import ..."
        homes = HOMES.get(head, ("xform",))
        at_home = any(f"{module}.".startswith(f"{home}.") for home in homes)
        assert at_home, f"{where} is imported in {', '.join(homes)} only"
        known = head == "xform" or head in sys.stdlib_module_names
        if allowed is not None and not known:
            assert head in allowed, f"{where}: {layer(module)} imports {', '.join(allowed)} only"


@each_module
def test_imports_stand_at_the_top(module):
    for outer in ast.walk(parse(FILES[module])):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            for node in ast.walk(outer):
                inside = isinstance(node, ast.Import | ast.ImportFrom)
                assert not inside, f"{place(module, node.lineno)}: move the import to the top"


def test_no_import_cycle():
    graph = {
        module: {target(name) for _, name in imports(module, running=True)} - {None, module}
        for module in FILES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(reversed(error.args[1]))}")


SOURCES = sorted(
    path
    for folder in ("xform", "kernels", "tests", "benchmarks", "examples", "tools")
    for suffix in ("py", "c", "h")
    for path in ROOT.glob(f"{folder}/**/*.{suffix}")
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES, f"{lines} lines; a family that outgrows {MAX_LINES} is two families"


@each_module
def test_rules_live_on_rows(module):
    """A dictionary of rules beside the rows would let an operator go without one."""
    for node in parse(FILES[module]).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for name in [t.id for t in targets if isinstance(t, ast.Name)]:
            empty = isinstance(value, ast.Dict) and not value.keys
            table = empty and name.lower().rpartition("_")[2] in RULE_TABLES
            assert not table, f"{place(module, node.lineno)}: rules live on the primitive's row"


def test_no_catch_all_modules():
    names = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    found = [str(path.relative_to(ROOT)) for path in FILES.values() if path.name in names]
    assert not found, f"{found}: name a module by what it holds"


def test_every_package_is_in_the_wheel():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    packages = sorted(name for name, path in FILES.items() if path.name == "__init__.py")
    assert listed == packages, "pyproject.toml: [tool.setuptools] packages must list these"


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in FILES.values()}
    missing = [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists()]
    assert not missing, f"{missing}: write __init__.py"
