"""Modules for a kernel of a newer compiler than the host's are built by that very compiler."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.kernel.builders import TINY, build_twice_at_once, write_source
from xenlab.errors import InputError, Unavailable
from xenlab.kernel.choice import read_series
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver import DriverKind, Reach
from xenlab.kernel.driver_source import DRIVERS, DriverSource, lay_out
from xenlab.kernel.headers import KernelHeaders
from xenlab.kernel.module_build import ModuleSource
from xenlab.kernel.module_file import DEBUG, ModuleFile
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.shelf import list_series, shelf
from xenlab.kernel.toolchain import Toolchain, render_argv
from xenlab.kernel.workshop import Workshop
from xenlab.plan.model import KernelPlan
from xenlab.transport.process import run
from xenlab.waiting import Deadline

# cc1 alone is 41 MB of it; whole, the packages would be 210 MB.
TREE_LIMIT_BYTES = 100_000_000
WHOLE_KERNEL = "max-skb-frags"  # for kernels older than the option that it brings
BUILD_S = 500.0  # ten modules; 65 s beside a lab on two cores
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
    assert len(said) == 2
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


@pytest.mark.usefixtures("said")
def test_tree_is_small_and_plain(workshop: Workshop) -> None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One driver with one series on it, beside others in a folder that is built whole."""

    kind: DriverKind
    series: PatchSeries

    @property
    def module(self) -> str:
        return f"{self.kind}-{self.series.name}"

    def lay_out(self, source: DriverSource, headers: KernelHeaders, root: Path) -> str:
        """Fill a folder below a root; its Kbuild file's folder, from the root on."""
        tree = root / self.module
        lay_out(source, headers, self.series, tree, Deadline.after(30.0))
        if self.kind is DriverKind.NETFRONT:
            make = tree / DRIVERS / "Kbuild"
            text = f"obj-m := {self.module}.o\n{self.module}-y := xen-netfront.o\n"
        else:
            make = tree / self.kind.sources / "Makefile"
            text = make.read_text().replace("xen-netback", self.module)
        own = f"LINUXINCLUDE := -I$(KBUILD_EXTMOD)/{self.module}/include $(LINUXINCLUDE)\n"
        make.write_text(own + text)
        return f"{make.parent.relative_to(root)}/"


def test_all_our_modules_and_series_are_built_for_the_newest_kernel(
    workshop: Workshop, newest: KernelPlan, compiler: Compiler, headers: KernelHeaders,
    tmp_path: Path,
) -> None:  # fmt: skip
    """In one build, for most of the time that a small one takes goes into its beginning."""
    variants = [
        Variant(kind=kind, series=series)
        for series in read_series(list_series())
        for kind in Reach.of(series.files).drivers
    ]
    source = workshop.provide_source(newest)
    folders = [variant.lay_out(source, headers, tmp_path) for variant in variants]
    modules = sorted((shelf() / "modules").iterdir())
    for module in modules:
        ModuleSource(folder=module).copy_to(tmp_path / module.name)
        folders.append(f"{module.name}/")
    (tmp_path / "Kbuild").write_text(f"obj-m := {' '.join(folders)}\n")

    compiler.make(headers, tmp_path, "modules", Deadline.after(BUILD_S))

    wanted = [variant.module for variant in variants] + [module.name for module in modules]
    built = [ModuleFile.read(path) for path in tmp_path.rglob("*.ko")]
    assert {module.path.stem for module in built} == set(wanted)
    assert {module.release for module in built} == {headers.release}
    assert {variant.series.name for variant in variants} == set(list_series()) - {WHOLE_KERNEL}


@pytest.fixture
def open_tree(said: list[str], workshop: Workshop) -> Iterator[Path]:
    """A copy of the compiler's tree where everybody may look, and a folder for anybody."""
    assert any("unpacking gcc-" in text for text in said)
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
