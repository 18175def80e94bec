"""Where `users` lies in struct sk_buff of a kernel built here, told by the compiler that built it.

The probes on ring slots need it. Debian's kernels carry their type information (BTF), which takes
a program of another package and all debug information; one number is had for one small object.
"""

from __future__ import annotations

import io
import struct
import tempfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

from xenlab.errors import DoesNotCompile, InputError
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.headers import KernelHeaders
from xenlab.waiting import Deadline

SECTION = ".xenlab"
SOURCE = f"""\
#include <linux/skbuff.h>
const unsigned int xenlab_skb_users __used __section("{SECTION}") = offsetof(struct sk_buff, users);
"""
OBJECT = "layout.o"


def skb_users_path(release: str) -> str:
    """Where guests find the number, from the root of their image on."""
    return f"usr/lib/modules/{release}/skb-users"


def read_skb_users(
    headers: KernelHeaders, compiler: Compiler, scratch: Path, deadline: Deadline
) -> int:
    """The offset in bytes, for kernels of these headers. InputError where nothing tells it."""
    with tempfile.TemporaryDirectory(prefix="layout-", dir=scratch) as folder:
        place = Path(folder)
        (place / OBJECT).with_suffix(".c").write_text(SOURCE, encoding="ascii")
        (place / "Kbuild").write_text(f"obj-m := {OBJECT}\n", encoding="ascii")
        try:
            compiler.make(headers, place, OBJECT, deadline)
        except DoesNotCompile as error:
            # What does not compile is ours: the kernel does.
            told = f"where `users` lies in struct sk_buff is not told: {error.problems[0]}"
            raise InputError(told) from error
        elf = ELFFile(io.BytesIO((place / OBJECT).read_bytes()))
        section = elf.get_section_by_name(SECTION)
        assert section is not None, f"the compiler left {SECTION} out"
        (offset_bytes,) = struct.unpack("<I", section.data())
        return int(offset_bytes)
