"""Modules for a kernel of a newer compiler than the host's are built by that very compiler."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kernel.builders import TINY, build_twice_at_once, write_source
from xenlab.errors import InputError, Unavailable
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.module_file import DEBUG, ModuleFile
from xenlab.kernel.shelf import shelf
from xenlab.kernel.toolchain import Toolchain, render_argv
from xenlab.kernel.workshop import Workshop
from xenlab.plan.model import KernelPlan
from xenlab.transport.process import run
from xenlab.waiting import Deadline

# cc1 alone is 41 MB of it; whole, the packages would be 210 MB.
TREE_LIMIT_BYTES = 100_000_000
REFUSING = "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")


@pytest.fixture(scope="module")
def compiler(workshop: Workshop, newest: KernelPlan) -> Compiler:
    return workshop.shop.provider(newest).find_compiler()


@pytest.fixture(scope="module")
def toolchain(compiler: Compiler) -> Toolchain:
    assert isinstance(compiler.bench, Toolchain)
    return compiler.bench


@pytest.fixture(scope="module")
def headers(workshop: Workshop, newest: KernelPlan) -> KernelHeaders:
    return workshop.shop.provider(newest).provide_headers()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_source(tmp_path_factory.mktemp("sources") / "tiny")


@pytest.fixture(scope="module")
def said(
    toolchain: Toolchain, headers: KernelHeaders, cache: Path, source: Path, newest: KernelPlan
) -> list[str]:
    """What two builders said who began with nothing but packages, and no network."""
    assert headers.gcc_major == toolchain.names.major
    toolchain.supply.fetch(toolchain.suite, toolchain.packages)
    return build_twice_at_once(cache, source, newest)


@pytest.fixture(scope="module")
def tiny(said: list[str], workshop: Workshop, source: Path, newest: KernelPlan) -> ModuleFile:
    assert said
    return workshop.provide_module(source, newest)


def test_two_builders_at_once_unpack_one_compiler_and_build_once(said: list[str]) -> None:
    assert sum(text.count("unpacking gcc-") for text in said) == 1
    assert sum(text.count("compiling tiny") for text in said) == 1


def test_module_is_made_by_the_compiler_of_its_kernel_and_names_no_path(
    tiny: ModuleFile, toolchain: Toolchain, headers: KernelHeaders, cache: Path
) -> None:
    debug = tiny.path.with_name(f"tiny.ko{DEBUG}").read_bytes()
    gcc = next(package for package in toolchain.packages if package.name == toolchain.names.gcc)

    assert f"GCC: (Debian {gcc.version}) {headers.gcc_major}.".encode() in debug
    assert tiny.release == headers.release
    assert str(cache).encode() not in debug
    assert b"/module/" not in debug
    assert b"/headers/" not in debug


def test_same_source_gives_the_same_bytes_elsewhere(
    tiny: ModuleFile, compiler: Compiler, headers: KernelHeaders, tmp_path: Path
) -> None:
    folder = write_source(tmp_path / "elsewhere" / "of another length")

    compiler.make(headers, folder, "modules", Deadline.after(60.0))
    compiler.strip(headers, folder / "tiny.ko", tmp_path / "tiny.ko", Deadline.after(10.0))

    assert (tmp_path / "tiny.ko").read_bytes() == tiny.path.read_bytes()


def test_tree_is_small_whole_and_plain(tiny: ModuleFile, workshop: Workshop) -> None:
    assert tiny
    (tree,) = workshop.store.folder.glob("toolchain-*")
    files = [path for path in tree.rglob("*") if not path.is_dir()]

    assert sum(path.stat().st_size for path in files) < TREE_LIMIT_BYTES
    assert not any(path.is_symlink() for path in files)


def test_broken_source_shows_the_line_and_no_path_of_the_sandbox(
    workshop: Workshop, newest: KernelPlan, tmp_path: Path
) -> None:
    broken = write_source(tmp_path / "broken", TINY.replace("ETH_HLEN", "ETH_HEADER"))

    with pytest.raises(InputError) as raised:
        workshop.provide_module(broken, newest)

    assert raised.value.problems[0].startswith("tiny.c:6:")
    assert "error: 'ETH_HEADER' undeclared" in raised.value.problems[0]
    assert not list(workshop.store.folder.glob("*.part"))


@pytest.mark.parametrize("name", sorted(path.name for path in (shelf() / "modules").iterdir()))
def test_our_modules_are_built_for_the_newest_kernel(
    workshop: Workshop, newest: KernelPlan, headers: KernelHeaders, name: str
) -> None:
    module = workshop.provide_module(shelf() / "modules" / name, newest)

    assert module.name == name
    assert module.release == headers.release


@pytest.fixture
def open_tree(tiny: ModuleFile, workshop: Workshop) -> Iterator[Path]:
    """A copy of the compiler's tree where everybody may look, and a folder for anybody."""
    assert tiny
    (tree,) = workshop.store.folder.glob("toolchain-*")
    with tempfile.TemporaryDirectory(prefix="xenlab-tree-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        shutil.copytree(tree / "usr", place / "usr")
        (place / "work").mkdir()
        (place / "work").chmod(0o777)
        yield place


def test_compiler_runs_for_an_ordinary_user(open_tree: Path, toolchain: Toolchain) -> None:
    work = open_tree / "work"
    (work / "one.c").write_text("int one(void) { return 1; }\n")
    argv = (*render_argv(open_tree, work, work), toolchain.names.program, "-c", "one.c")
    become = NOBODY if os.geteuid() == 0 else ()

    run((*become, *argv), deadline=Deadline.after(30.0)).require_success()

    assert (work / "one.o").read_bytes().startswith(b"\x7fELF")


def test_host_that_makes_no_sandbox_is_unavailable_and_not_the_sources_fault(
    compiler: Compiler, headers: KernelHeaders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").write_text(REFUSING)
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    folder = write_source(tmp_path / "tiny")

    with pytest.raises(Unavailable, match="No permissions to create") as raised:
        compiler.make(headers, folder, "modules", Deadline.after(60.0))

    assert raised.value.try_next == "xenlab doctor"
