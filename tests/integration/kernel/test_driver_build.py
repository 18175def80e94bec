"""The drivers are built from Debian's source with series on them, each within seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xenlab.errors import DoesNotCompile, InputError, Unavailable
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver import SHARED_HEADERS, DriverChoice, DriverKind
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.workshop import Workshop
from xenlab.plan.model import KernelPlan

LIMIT = "netfront-slots-limit"
NETBACK = "drivers/net/xen-netback/hash.c"


def write_patch(workshop: Workshop, kernel: KernelPlan, path: Path, file: str, line: str) -> Path:
    """A patch that puts a line above the first one of a file."""
    first = (workshop.provide_source(kernel).folder / file).read_text().splitlines()[:2]
    hunk = f"@@ -1,2 +1,3 @@\n+{line}\n {first[0]}\n {first[1]}\n"
    path.write_text(f"--- a/{file}\n+++ b/{file}\n{hunk}")
    return path


def provide(workshop: Workshop, choice: DriverChoice, kernel: KernelPlan) -> ModuleFile:
    file = workshop.provide_driver(choice, kernel).file
    assert file is not None
    return file


def test_frontend_is_built_with_its_new_parameter(workshop: Workshop, kernel: KernelPlan) -> None:
    choice = DriverChoice.parse(DriverKind.NETFRONT, LIMIT)

    module = provide(workshop, choice, kernel)

    assert module.name == "xen_netfront"
    assert module.release == workshop.shop.provider(kernel).read_release()
    assert b"parmtype=slots_max:" not in module.path.read_bytes()  # it has operations of its own
    assert b"parm=slots_max:" in module.path.read_bytes()


def test_backend_is_built_from_its_folder(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    path = write_patch(workshop, kernel, tmp_path / "x.patch", NETBACK, "/* harmless */")

    module = provide(workshop, DriverChoice.parse(DriverKind.NETBACK, str(path)), kernel)

    assert module.name == "xen_netback"


def test_series_that_does_not_compile_shows_the_line(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    path = write_patch(workshop, kernel, tmp_path / "x.patch", NETBACK, "int here = nowhere;")

    with pytest.raises(DoesNotCompile) as raised:
        workshop.provide_driver(DriverChoice.parse(DriverKind.NETBACK, str(path)), kernel)

    assert raised.value.problems[0].startswith("hash.c:1:12: error: ")
    assert "int here = nowhere;" in raised.value.problems[0]
    assert not list(workshop.store.folder.glob("*.part"))


def test_series_that_does_not_fit_is_refused_before_anything_is_built(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    path = write_patch(workshop, kernel, tmp_path / "x.patch", NETBACK, "/* fits */")
    workshop.require_applicable(PatchSeries.read(path), kernel)
    source = workshop.provide_source(kernel).folder / NETBACK
    before = source.read_bytes()
    path.write_text(path.read_text().replace(before.decode().splitlines()[1], "another kernel"))

    with pytest.raises(InputError, match=f"x.patch:3: hunk 1 of {NETBACK} does not apply"):
        workshop.require_applicable(PatchSeries.read(path), kernel)

    assert source.read_bytes() == before
    assert not list(workshop.store.folder.glob("*.part"))


@pytest.mark.parametrize("kind", list(DriverKind))
def test_header_of_both_drivers_is_built_into_each(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path, kind: DriverKind
) -> None:
    (header,) = SHARED_HEADERS
    headers = workshop.shop.provider(kernel).provide_headers()
    lines = (headers.source / header).read_text().splitlines()
    at = lines.index("#define XEN_NETIF_NR_SLOTS_MIN 18")
    path = tmp_path / "x.patch"
    path.write_text(
        f"--- a/{header}\n+++ b/{header}\n@@ -{at + 1},3 +{at + 1},4 @@\n {lines[at]}\n"
        f"+#error this header is the patched one\n {lines[at + 1]}\n {lines[at + 2]}\n"
    )
    choice = DriverChoice(kind=kind, name="x", series=PatchSeries.read(path))

    with pytest.raises(InputError, match="this header is the patched one"):
        workshop.provide_driver(choice, kernel)

    path.write_text(path.read_text().replace("#error", "/* no error:").replace("one\n", "one */\n"))
    module = provide(workshop, replace(choice, series=PatchSeries.read(path)), kernel)
    assert module.name == kind.module
    assert headers.source.joinpath(header).read_text().splitlines() == lines


def test_module_of_another_kernel_is_refused(
    workshop: Workshop, kernel: KernelPlan, tmp_path: Path
) -> None:
    module = provide(workshop, DriverChoice.parse(DriverKind.NETFRONT, LIMIT), kernel)
    release = module.release.encode()
    foreign = tmp_path / "xen-netfront.ko"
    foreign.write_bytes(
        module.path.read_bytes().replace(b"vermagic=" + release, b"vermagic=" + release[::-1])
    )

    with pytest.raises(InputError, match="built for Linux"):
        workshop.provide_driver(DriverChoice.parse(DriverKind.NETFRONT, str(foreign)), kernel)


def test_kernel_of_a_newer_compiler_is_unavailable_by_name(
    workshop: Workshop, kernel: KernelPlan
) -> None:
    headers = workshop.shop.provider(kernel).provide_headers()
    compiler = Compiler.find(workshop.deadline)
    newer = replace(headers, gcc_major=compiler.major + 1)

    compiler.require_for(headers)
    with pytest.raises(Unavailable, match=f"was made by gcc {compiler.major + 1}"):
        compiler.require_for(newer)
