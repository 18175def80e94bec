"""A module has at most 250 lines and a function at most 40: over that, a noun is missing."""

from __future__ import annotations

import ast

from tests.unit.house.repository import ROOT, list_files

MODULE_LINES = 250
FUNCTION_LINES = 40


def find_oversized(name: str, source: str) -> list[str]:
    """One line for each module or function of `source` over its limit, docstrings included."""
    found = []
    lines = len(source.splitlines())
    if lines > MODULE_LINES:
        found.append(f"{name}: {lines} lines")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    return found


def test_no_module_and_no_function_is_over_its_limit() -> None:
    oversized = [
        line
        for path in list_files("xenlab/*.py", "bench/*.py")
        for line in find_oversized(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]

    assert oversized == []


def test_module_of_251_lines_is_found() -> None:
    assert find_oversized("a.py", "x = 1\n" * 250) == []
    assert find_oversized("a.py", "x = 1\n" * 251) == ["a.py: 251 lines"]


def test_function_of_41_lines_is_found() -> None:
    def of(lines: int) -> str:
        return "class A:\n    def f(self):\n" + "        x = 1\n" * (lines - 1)

    assert find_oversized("a.py", of(40)) == []
    assert find_oversized("a.py", of(41)) == ["a.py:2: f has 41 lines"]
