"""A file is a module with a name, a kernel and a build id, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kernel.elf import EM_AARCH64, make_elf, pack_note
from xenlab.errors import InputError
from xenlab.kernel.module_file import ModuleFile

MODINFO = b"license=GPL\0name=xen_netfront\0vermagic=6.1.0-56-amd64 SMP preempt mod_unload \0"
NOTE = pack_note("GNU", 3, bytes.fromhex("00ff10"))
SECTIONS = {".modinfo": MODINFO, ".note.gnu.build-id": NOTE}


def write(folder: Path, content: bytes) -> Path:
    path = folder / "xen-netfront.ko"
    path.write_bytes(content)
    return path


def test_module_tells_its_name_its_kernel_and_its_build_id(tmp_path: Path) -> None:
    module = ModuleFile.read(write(tmp_path, make_elf(sections=SECTIONS)))

    assert (module.name, module.release) == ("xen_netfront", "6.1.0-56-amd64")
    assert module.build_id == "00ff10"
    assert module.require_release("6.1.0-56-amd64") is module


def test_module_for_another_kernel_is_refused(tmp_path: Path) -> None:
    module = ModuleFile.read(write(tmp_path, make_elf(sections=SECTIONS)))

    with pytest.raises(InputError, match=r"built for Linux 6.1.0-56-amd64, the node has 7.2.13"):
        module.require_release("7.2.13")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no ELF at all",
        make_elf(sections=SECTIONS)[:100],
        make_elf(),
        make_elf(sections={".modinfo": MODINFO}),
        make_elf(sections={".note.gnu.build-id": NOTE}),
        make_elf(sections={**SECTIONS, ".modinfo": MODINFO.replace(b"vermagic", b"vermouth")}),
        make_elf(sections=SECTIONS, machine=EM_AARCH64),
    ],
)
def test_what_is_no_module_of_this_machine_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"xen-netfront\.ko: "):
        ModuleFile.read(write(tmp_path, content))
