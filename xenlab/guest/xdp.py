"""An XDP program on a netfront device, so that netback leaves headroom before each packet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from struct import Struct

from xenlab.errors import LabError
from xenlab.transport.shell import Shell
from xenlab.undoing import undone
from xenlab.waiting import Deadline

FILE = "/run/xenlab/xdp-pass.o"
DETACH_S = 30.0
HEADROOM_BYTES = 256  # XDP_PACKET_HEADROOM, include/uapi/linux/bpf.h

# xennet_xdp_set() tells netback to read the headroom before it has written it
# (drivers/net/xen-netfront.c:1649), and netback is sometimes quicker: what it is to be is there
# already. $1: the number of the device, $2: its headroom, then the command line.
SWITCH = """
xenstore-write "device/vif/$1/xdp-headroom" "$2" || exit 1
shift 2
exec "$@"
"""

# struct bpf_insn (include/uapi/linux/bpf.h): code, registers, offset, immediate value.
INSTRUCTION = Struct("<BBhi")
BPF_MOV64_IMM, BPF_EXIT = 0xB7, 0x95
XDP_PASS = 2
# ELF-64 (elf.h): head, section head, symbol.
ELF_HEAD = Struct("<4s5B7xHHIQQQIHHHHHH")
SECTION = Struct("<IIQQQQIIQQ")
SYMBOL = Struct("<IBBHQQ")
ET_REL, EM_BPF = 1, 247
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB = 1, 2, 3
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
GLOBAL_FUNCTION = 0x12
NAMES = b"\0xdp\0license\0.symtab\0.strtab\0xl_pass\0"


def attach_xdp(shell: Shell, index: int, deadline: Deadline) -> str:
    """Put a program that passes every packet on `eth<index>` of a domU; why it was refused, or ''.

    Raises LabError where the domU could not be asked.
    """
    shell.write_file(FILE, build_program(), deadline=deadline)
    words = ["xdp", "object", FILE, "section", "xdp"]
    return _switch(shell, index, HEADROOM_BYTES, words, deadline)


@contextmanager
def xdp_attached(shell: Shell, index: int, deadline: Deadline) -> Iterator[str]:
    """The same for a time; afterwards there is no program, or LabError is raised."""
    refused = attach_xdp(shell, index, deadline)

    def detach() -> None:
        if left := _switch(shell, index, 0, ["xdp", "off"], deadline.later(DETACH_S)):
            raise LabError(f"the XDP program stays on eth{index}: {left}")

    with undone(detach):
        yield refused


def _switch(
    shell: Shell, index: int, headroom_bytes: int, words: list[str], deadline: Deadline
) -> str:
    command = ["ip", "link", "set", "dev", f"eth{index}", *words]
    answer = shell.run_script(SWITCH, str(index), str(headroom_bytes), *command, deadline=deadline)
    why = answer.stderr.decode(errors="replace").strip()
    return "" if answer.status == 0 else f"{shell.where}: {why or f'status {answer.status}'}"


def build_program() -> bytes:
    """An object file with one function in a section `xdp`: `return XDP_PASS`."""
    code = INSTRUCTION.pack(BPF_MOV64_IMM, 0, 0, XDP_PASS) + INSTRUCTION.pack(BPF_EXIT, 0, 0, 0)
    symbol = SYMBOL.pack(_name("xl_pass"), GLOBAL_FUNCTION, 0, 1, 0, len(code))
    contents = (code, b"GPL\0", bytes(SYMBOL.size) + symbol, NAMES)
    body = b""
    offsets = []
    for content in contents:
        body += bytes(-len(body) % 8)
        offsets.append(ELF_HEAD.size + len(body))
        body += content
    body += bytes(-len(body) % 8)
    # name, type, flags, link, info, alignment, size of an entry
    kinds = (
        ("xdp", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, 8, 0),
        ("license", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0, 1, 0),
        (".symtab", SHT_SYMTAB, 0, len(contents), 1, 8, SYMBOL.size),
        (".strtab", SHT_STRTAB, 0, 0, 0, 1, 0),
    )
    sections = b"".join(
        SECTION.pack(_name(name), kind, flags, 0, offset, len(content), link, info, align, entry)
        for (name, kind, flags, link, info, align, entry), offset, content in zip(
            kinds, offsets, contents, strict=True
        )
    )
    head = ELF_HEAD.pack(
        b"\x7fELF", 2, 1, 1, 0, 0, ET_REL, EM_BPF, 1, 0, 0, ELF_HEAD.size + len(body), 0,
        ELF_HEAD.size, 0, 0, SECTION.size, len(contents) + 1, len(contents),
    )  # fmt: skip
    return head + body + bytes(SECTION.size) + sections


def _name(name: str) -> int:
    """Where a name is among the strings."""
    return NAMES.index(b"\0" + name.encode() + b"\0") + 1
