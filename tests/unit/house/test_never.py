"""What no file may hold, whatever its place exempts it from in ruff: sleeps, mocks, skips."""

from __future__ import annotations

import ast

import pytest

from tests.unit.house.repository import ROOT, list_files

NEVER = {
    "time.sleep": "wait for a cause: xenlab.waiting.wait_until",
    "unittest.mock": "test the pure function, or the real edge",
    "pytest.skip": "a missing prerequisite is an error",
    "pytest.importorskip": "a missing prerequisite is an error",
    "pytest.mark.skip": "a test that does not run is deleted",
    "pytest.mark.skipif": "a missing prerequisite is an error",
}


def find_refused(source: str) -> list[tuple[int, str]]:
    """Line and name of everything in `source` that NEVER refuses."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        for name in _names(node):
            found += [(line, no) for no in NEVER if name == no or name.startswith(f"{no}.")]
    return found


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Attribute):
        return [ast.unparse(node)]
    return []


def test_no_file_sleeps_mocks_or_skips() -> None:
    refused = [
        f"{path.relative_to(ROOT)}:{line}: {name}: {NEVER[name]}"
        for path in list_files("*.py")
        for line, name in find_refused(path.read_text(encoding="utf-8"))
    ]

    assert refused == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep",
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import Mock",
        "import pytest\npytest.skip('no')",
        "import pytest\n@pytest.mark.skipif(True, reason='no')\ndef test_a(): ...",
    ],
)
def test_each_way_to_do_it_is_found(source: str) -> None:
    assert find_refused(source)
