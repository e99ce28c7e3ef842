"""The house's rules, held by reading the code. Each message names the remedy."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "cloudlet").rglob("*.py"))
MOST_FILE_LINES, MOST_FUNCTION_LINES = 400, 60
# what each part may import of the house; imports point down only
MAY_IMPORT = {
    "kernel": {"kernel"},
    "wire": {"wire"},
    "shared": {"shared", "kernel"},
    "services": {"shared", "kernel"},
    "workers": {"workers", "kernel"},
    "gateway": {"gateway", "wire", "kernel", "__init__"},
    "app.py": {"gateway", "wire", "kernel", "services"},
    "testing": {"testing", "app", "gateway", "wire", "kernel", "shared", "services"},
    "cli": {"cli", "app", "gateway", "wire", "kernel", "__init__", "testing"},
    "__init__.py": set(),
    "__main__.py": {"cli"},
}
AMBIENT = {"time", "random", "secrets", "threading", "multiprocessing", "subprocess", "socket", "tempfile"}
PURE_PARTS = {"services", "shared", "wire"}
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _part(path: Path) -> str:
    return path.relative_to(ROOT / "cloudlet").parts[0]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "cloudlet":
                yield from ((node.lineno, f"cloudlet.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_and_functions_are_short(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= MOST_FILE_LINES, f"{_name(path)} has {lines} lines: split it by noun"
    for node in ast.walk(_tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MOST_FUNCTION_LINES, f"{_name(path)}:{node.lineno} {node.name} has {length} lines: name its steps"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_point_down(path: Path) -> None:
    part = _part(path)
    service = path.relative_to(ROOT / "cloudlet").parts[1] if part == "services" else None
    for line, module in _imports(_tree(path)):
        parts = module.split(".")
        if parts[0] != "cloudlet":
            continue
        target = parts[1] if len(parts) > 1 else "__init__"
        target = "__init__" if target == "__version__" else target
        if service and target == "services":
            where = f"{_name(path)}:{line}"
            assert parts[2:3] == [service], f"{where} imports a sibling: use ctx.call, ctx.deliver or a poll source"
            continue
        assert target in MAY_IMPORT[part], f"{_name(path)}:{line} imports {module}: {part} may use {sorted(MAY_IMPORT[part])}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_imports_inside_functions(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = [n.lineno for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))]
            assert not inner, f"{_name(path)}:{inner} imports inside {node.name}: import at the top of the file"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_ambient_time_randomness_or_threads(path: Path) -> None:
    if _part(path) not in PURE_PARTS:
        return
    for line, module in _imports(_tree(path)):
        root = module.split(".")[0]
        assert root not in AMBIENT, f"{_name(path)}:{line} imports {root}: use ctx.now, ctx.ids, ctx.schedule"
    text = path.read_text()
    assert "os.environ" not in text, f"{_name(path)} reads the environment: settings come from ctx.kernel.options"
    assert not re.search(r"\b(datetime\.(now|utcnow)|date\.today)\(", text), f"{_name(path)} reads a clock: use ctx.now"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_mutable_state_in_modules(path: Path) -> None:
    for node in _tree(path).body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, MUTABLE):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                name = getattr(target, "id", "")
                constant = name.strip("_").isupper() or name.startswith("__")
                assert constant, f"{_name(path)}:{node.lineno} {name}: state lies in the store; a constant is written in capitals"
        assert not isinstance(node, ast.Global), f"{_name(path)}:{node.lineno}: no globals"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_every_module_says_what_it_is(path: Path) -> None:
    tree = _tree(path)
    if path.read_text().strip():
        assert ast.get_docstring(tree), f"{_name(path)} lacks a docstring: what would a newcomer want to know first?"
    assert path.stem not in ("utils", "util", "helpers", "misc", "common"), f"{_name(path)}: name it by its noun"


@pytest.mark.parametrize("path", [p for p in FILES if _part(p) == "services"], ids=_name)
def test_operations_say_what_they_do(path: Path) -> None:
    for node in _tree(path).body:
        operation = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and [a.arg for a in node.args.args] == [
            "ctx",
            "req",
        ]
        if operation and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{_name(path)}:{node.lineno} {node.name} lacks a docstring: behaviour, units, errors"
