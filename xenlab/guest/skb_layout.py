"""Where `users` lies in struct sk_buff: read from the type information of the running kernel."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error

from xenlab.errors import MeasurementError
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

BTF = "/sys/kernel/btf/vmlinux"
# Some megabytes are read once for the life of a kernel, which ends with its /run.
KEPT = "/run/xenlab-skb-users"
# A kernel that was built here brings the number with its modules.
BROUGHT = '/usr/lib/modules/"$(uname -r)"/skb-users'
READ = f"""
if [ -e {KEPT} ] && read -r kept <{KEPT}; then
        echo "$kept"
else
        cat {BROUGHT} 2>/dev/null || cat {BTF}
fi
"""

STRUCT_NAME = "sk_buff"
MEMBER_NAME = "users"

# include/uapi/linux/btf.h.
MAGIC = 0xEB9F
HEADER = Struct("<HBBIIIII")
TYPE = Struct("<III")
MEMBER = Struct("<III")
KIND_STRUCT = 4
# Bytes behind a type's own twelve, by its kind: so many for each of vlen, or so many in all.
EACH_BYTES = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
ALL_BYTES = {1: 4, 3: 12, 14: 4, 17: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Btf:
    types: bytes
    strings: bytes

    @classmethod
    def parse(cls, content: bytes) -> _Btf:
        magic, _version, _flags, start, types_at, types, strings_at, strings = HEADER.unpack_from(
            content
        )
        if magic != MAGIC:
            raise MeasurementError(f"{BTF}: magic {magic:#x}")
        return cls(
            types=content[start + types_at :][:types],
            strings=content[start + strings_at :][:strings],
        )

    def name_at(self, name: str) -> int:
        """Where a name is among the strings; every name is there once."""
        return self.strings.index(b"\0" + name.encode() + b"\0") + 1

    def member_offset_bytes(self, struct_name: str, member_name: str) -> int:
        """The offset of a struct's own member. Raises ValueError if there is no such thing."""
        wanted, member = self.name_at(struct_name), self.name_at(member_name)
        at = 0
        while at < len(self.types):
            name, info, _size = TYPE.unpack_from(self.types, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            at += TYPE.size
            if kind == KIND_STRUCT and name == wanted:
                return self._member_offset_bytes(at, count, member)
            at += EACH_BYTES.get(kind, 0) * count + ALL_BYTES.get(kind, 0)
        raise ValueError(f"no struct {struct_name}")

    def _member_offset_bytes(self, at: int, count: int, member: int) -> int:
        for index in range(count):
            name, _type, offset_bits = MEMBER.unpack_from(self.types, at + index * MEMBER.size)
            if name == member:
                # The upper eight bits are the width of a bit field.
                return int(offset_bits & 0xFFFFFF) // 8
        raise ValueError("no such member")


def read_users_offset(shell: Shell, deadline: Deadline) -> int:
    """Bytes from the start of an sk_buff to its `users`. Raises MeasurementError if it is unknown.

    Raises LabError when the node could not be asked.
    """
    answer = shell.run_script(READ, deadline=deadline)
    if answer.status != 0:
        raise MeasurementError(f"{shell.where} has no {BTF}")
    if answer.stdout.strip().isdigit():
        return int(answer.stdout)
    offset_bytes = parse_users_offset(answer.stdout)
    shell.write_file(KEPT, f"{offset_bytes}\n".encode(), deadline=deadline)
    return offset_bytes


def parse_users_offset(content: bytes) -> int:
    """The same out of the type information. Raises MeasurementError."""
    try:
        return _Btf.parse(content).member_offset_bytes(STRUCT_NAME, MEMBER_NAME)
    except (ValueError, error) as cause:
        raise MeasurementError(f"{BTF}: no {MEMBER_NAME} of {STRUCT_NAME}: {cause}") from cause
