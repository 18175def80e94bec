"""The tool compiled once, and labs made of namespaces."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.traffic.namespace_lab import NamespaceLab, open_namespace_lab
from tests.unit.house.repository import ROOT

SOURCES = ROOT / "xenlab/images/tools/xlflow"
XENSTORE = ROOT / "tests/unit/xen/recorded/xenstore-ls-pair.txt"


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with xlflow, and the programs of xenstore that tell what real ones told."""
    folder = tmp_path_factory.mktemp("programs")
    units = sorted(SOURCES.glob("*.c"))
    flags = ["-O2", "-static", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", folder / "xlflow", *units], check=True)
    xenstore = folder / "xenstore-ls"
    xenstore.write_text(f'#!/bin/sh\nexec grep "^$2/" {XENSTORE}\n')
    xenstore.chmod(0o755)
    exists = folder / "xenstore-exists"
    exists.write_text(f'#!/bin/sh\nexec grep -q "^$1" {XENSTORE}\n')
    exists.chmod(0o755)
    return folder


@pytest.fixture
def lab(tmp_path: Path, programs: Path) -> Iterator[NamespaceLab]:
    """The topology `pair` in namespaces."""
    with open_namespace_lab(tmp_path, programs) as opened:
        yield opened
