"""The newc cpio that a kernel unpacks as its root: the same tree gives the same bytes.

Why not a library or GNU cpio: docs/decisions/0005-cpio-writer.md.
"""

from __future__ import annotations

import stat
from typing import BinaryIO

from xenlab.images.tree import FileTree, Folder, Link, Node

# linux/Documentation/driver-api/early-userspace/buffer-format.rst: the magic, then 13 fields of
# eight hexadecimal digits, the name with its NUL, padding to 4, the content, padding to 4.
MAGIC = b"070701"
TRAILER = "TRAILER!!!"
ALIGNMENT = 4


def write_cpio(tree: FileTree, file: BinaryIO) -> None:
    """Write the tree: sorted, owned by root, dated 1970, inodes numbered from 0, no hard links.

    Uncompressed, because unpacking would cost emulated CPU at every boot.
    """
    for inode, (name, node) in enumerate(sorted(tree.nodes.items())):
        mode, content = _mode_and_content(node)
        _write_entry(file, name, content, mode=mode, inode=inode)
    _write_entry(file, TRAILER, b"", mode=0, inode=0)


def _mode_and_content(node: Node) -> tuple[int, bytes]:
    if isinstance(node, Folder):
        return stat.S_IFDIR | node.mode, b""
    if isinstance(node, Link):
        return stat.S_IFLNK | 0o777, node.target.encode()
    return stat.S_IFREG | node.mode, node.content


def _write_entry(file: BinaryIO, name: str, content: bytes, *, mode: int, inode: int) -> None:
    encoded = name.encode() + b"\0"
    owner, group, links, date, device, checksum = 0, 0, 1, 0, 0, 0
    devices = (device, device, device, device)
    sizes = (len(encoded), checksum)
    fields = (inode, mode, owner, group, links, date, len(content), *devices, *sizes)
    header = MAGIC + b"".join(b"%08X" % field for field in fields) + encoded
    file.write(header + bytes(-len(header) % ALIGNMENT))
    file.write(content)
    file.write(bytes(-len(content) % ALIGNMENT))
