"""The cpio of a tree: the same bytes for the same tree, in the layout that Linux reads."""

from __future__ import annotations

from io import BytesIO

from xenlab.images.cpio import write_cpio
from xenlab.images.tree import File, FileTree, Folder, Link, Node

NODES: dict[str, Node] = {
    "usr/bin/hello": File(content=b"#!/bin/sh\necho hello\n", executable=True),
    "bin": Link(target="usr/bin"),
    "tmp": Folder(mode=0o1777),
    "etc/empty": File(content=b""),
}

# `cpio -o -H newc --reproducible` (GNU cpio 2.13) of the file `a`, 0644, of root, dated 1970, that
# holds "b\n"; its padding to 512 bytes at the end left out.
ZERO = b"00000000"
GOLDEN = (
    b"070701"  # magic
    + ZERO  # inode
    + b"000081A4"  # mode
    + ZERO * 2  # owner, group
    + b"00000001"  # links
    + ZERO  # date
    + b"00000002"  # size
    + ZERO * 4  # devices
    + b"00000002"  # size of the name
    + ZERO  # checksum
    + b"a\0b\n\0\0"
    + b"070701"
    + ZERO * 4
    + b"00000001"
    + ZERO * 6
    + b"0000000B"
    + ZERO
    + b"TRAILER!!!\0\0\0\0"
)


def pack(nodes: dict[str, Node]) -> bytes:
    tree = FileTree()
    for path, node in nodes.items():
        tree.add(path, node)
    file = BytesIO()
    write_cpio(tree, file)
    return file.getvalue()


def unpack(packed: bytes) -> dict[str, tuple[int, bytes]]:
    """Name to mode and content, read after Linux' init/initramfs.c."""
    entries: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert packed[at : at + 6] == b"070701"
        fields = [int(packed[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        name_at, name_bytes, content_bytes = at + 110, fields[11], fields[6]
        name = packed[name_at : name_at + name_bytes - 1].decode()
        assert packed[name_at + name_bytes - 1] == 0
        content_at = (name_at + name_bytes + 3) & ~3
        if name == "TRAILER!!!":
            assert content_at == len(packed)
            return entries
        entries[name] = (fields[1], packed[content_at : content_at + content_bytes])
        at = (content_at + content_bytes + 3) & ~3


def test_one_file_is_packed_as_gnu_cpio_packs_it() -> None:
    assert pack({"a": File(content=b"b\n")}) == GOLDEN


def test_order_of_adding_changes_no_byte() -> None:
    assert pack(NODES) == pack(dict(reversed(NODES.items())))


def test_every_node_comes_out_with_its_kind_and_mode() -> None:
    assert unpack(pack(NODES)) == {
        "bin": (0o120777, b"usr/bin"),
        "etc": (0o040755, b""),
        "etc/empty": (0o100644, b""),
        "tmp": (0o041777, b""),
        "usr": (0o040755, b""),
        "usr/bin": (0o040755, b""),
        "usr/bin/hello": (0o100755, b"#!/bin/sh\necho hello\n"),
    }


def test_folder_comes_before_what_is_in_it() -> None:
    names = list(unpack(pack(NODES)))

    assert all(
        "/" not in name or name.rpartition("/")[0] in names[:at] for at, name in enumerate(names)
    )


def test_archives_can_stand_one_behind_the_other() -> None:
    assert len(pack(NODES)) % 4 == 0
