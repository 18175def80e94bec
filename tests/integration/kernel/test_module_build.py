"""Modules are built by the real compiler against the real headers: once, with clear errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.kernel.builders import TINY, build_twice_at_once, write_source
from xenlab.errors import InputError, Unavailable
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.workshop import Workshop
from xenlab.plan.model import KernelPlan


def entries(workshop: Workshop) -> set[str]:
    return {path.name for path in workshop.store.folder.glob("module-*")}


@pytest.fixture
def tiny(workshop: Workshop, kernel: KernelPlan, tmp_path: Path) -> ModuleFile:
    return workshop.provide_module(write_source(tmp_path / "tiny"), kernel)


def test_module_is_for_the_labs_kernel_and_its_debug_file_has_the_same_build_id(
    tiny: ModuleFile, workshop: Workshop, kernel: KernelPlan
) -> None:
    debug = ModuleFile.read(tiny.path.with_name("tiny.ko.debug"))

    assert tiny.name == "tiny"
    assert tiny.release == workshop.shop.provider(kernel).read_release()
    assert debug.build_id == tiny.build_id
    assert tiny.path.stat().st_size < debug.path.stat().st_size / 2


def test_same_source_elsewhere_is_the_same_module_and_is_not_built_again(
    tiny: ModuleFile, workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    before = entries(workshop)
    elsewhere = write_source(tmp_path / "other" / "place")
    (elsewhere / "tiny.o").write_bytes(b"left by somebody's make")

    assert workshop.provide_module(elsewhere, kernel) == tiny
    assert entries(workshop) == before


def test_bytes_depend_on_the_source_alone(
    tiny: ModuleFile, workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    store = replace(workshop.store, folder=tmp_path / "store")
    elsewhere = replace(workshop, shop=replace(workshop.shop, store=store))

    rebuilt = elsewhere.provide_module(write_source(tmp_path / "again"), kernel)

    assert rebuilt.path != tiny.path
    assert rebuilt.sha256 == tiny.sha256


def test_changed_source_is_another_module(
    tiny: ModuleFile, workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    other = write_source(tmp_path / "changed", TINY.replace("tiny:", "changed:"))

    assert workshop.provide_module(other, kernel).build_id != tiny.build_id


def test_damaged_module_is_built_again(
    tiny: ModuleFile, workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    whole = tiny.path.read_bytes()
    tiny.path.write_bytes(whole[:-1] + b"x")

    assert workshop.provide_module(tmp_path / "tiny", kernel) == tiny
    assert tiny.path.read_bytes() == whole


def test_broken_source_shows_the_compilers_line(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    before = entries(workshop)
    broken = write_source(tmp_path / "broken", TINY.replace("ETH_HLEN", "ETH_HEADER"))

    with pytest.raises(InputError) as raised:
        workshop.provide_module(broken, kernel)

    assert raised.value.exit_code == 2
    problem = raised.value.problems[0]
    assert problem.startswith("tiny.c:6:")
    assert "error: ‘ETH_HEADER’ undeclared" in problem  # noqa: RUF001 (gcc's own quotes)
    assert 'pr_info("tiny: %d\\n", ETH_HEADER);' in problem
    assert "^~~~" in problem
    assert entries(workshop) == before
    assert not list(workshop.store.folder.glob("*.part"))


def test_symbol_that_no_kernel_has_is_named(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    text = TINY.replace("static int", "int tiny_nowhere(void);\nstatic int").replace(
        "return 0", "return tiny_nowhere()"
    )

    with pytest.raises(InputError, match='modpost: "tiny_nowhere"'):
        workshop.provide_module(write_source(tmp_path / "unresolved", text), kernel)


def test_folder_without_kbuild_is_no_module(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="no Kbuild or Makefile"):
        workshop.provide_module(tmp_path, kernel)


def test_host_without_a_compiler_is_told_which_package_has_it(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable, match="`gcc` is not installed") as raised:
        workshop.provide_module(write_source(tmp_path / "tiny"), kernel)

    assert raised.value.try_next == "apt-get install gcc"


def test_two_builders_at_once_build_once(
    tiny: ModuleFile, workshop: Workshop, kernel: KernelPlan, cache: Path, tmp_path: Path
) -> None:
    source = write_source(tmp_path / "raced", TINY.replace("tiny:", "raced:"))
    before = entries(workshop)

    said = build_twice_at_once(cache, source, kernel)

    assert sum(text.count("compiling raced") for text in said) == 1
    assert len(entries(workshop) - before) == 1
