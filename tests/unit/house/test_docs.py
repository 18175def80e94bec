"""The pages of docs/ name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.house.repository import ROOT
from xenlab.cli.matrix_table import MATRICES
from xenlab.cli.suite_order import TOPOLOGIES, shipped_suites

DOCS = ROOT / "docs"
ROW = re.compile(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", re.MULTILINE)
LINK = re.compile(r"\]\(([\w./-]+)(?:#[\w-]*)?\)")
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))


def read_suite_rows() -> dict[str, str]:
    """The topologies of each suite, as docs/suites.md has them in its first table."""
    page = (DOCS / "suites.md").read_text(encoding="utf-8")
    return dict(ROW.findall(page.partition("\n## ")[0]))


def test_page_of_suites_names_every_suite_and_no_other() -> None:
    assert sorted(read_suite_rows()) == sorted(shipped_suites())


@pytest.mark.parametrize("suite", [name for name in MATRICES if name in shipped_suites()])
def test_page_of_suites_names_the_topologies_that_a_suite_goes_through(suite: str) -> None:
    told = read_suite_rows()[suite]
    cells = [cell.topology for cell in MATRICES[suite].cells if cell.topology]
    numbered = ", ".join(f"`iommu-i{number}`" for number in range(1, 9))
    assert re.findall(r"`([\w-]+)`", told.replace("`iommu-i1` ... `iommu-i8`", numbered)) == cells


@pytest.mark.parametrize("suite", TOPOLOGIES)
def test_page_of_suites_names_the_topology_that_a_suite_needs(suite: str) -> None:
    assert read_suite_rows()[suite] == f"`{TOPOLOGIES[suite]}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_link_to_what_is_there(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
