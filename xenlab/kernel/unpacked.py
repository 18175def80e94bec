"""UnpackedKernel: where the parts of a kernel lie in a folder, whoever filled it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedKernel:
    """An image (bzImage or ELF), its configuration and its modules folder; `name` is the image's.

    `skb_users` is where `users` lies in struct sk_buff, in bytes, where the kernel cannot tell.
    """

    release: str
    name: str
    image: Path
    config: str
    modules: Path
    skb_users: str = ""


def find_kernel(root: Path) -> UnpackedKernel:
    """The one kernel below a folder, in any of the layouts that Debian has had.

    Up to Linux 6.12 the image and the configuration are in boot/, later in the modules folder.
    Raises InputError unless there is exactly one with image, configuration and modules.
    """
    folders = [*root.glob("lib/modules/*"), *root.glob("usr/lib/modules/*")]
    found = [
        (modules, image, config)
        for modules in folders
        for image, config in (
            (root / f"boot/vmlinuz-{modules.name}", root / f"boot/config-{modules.name}"),
            (modules / "vmlinuz", modules / "config"),
        )
        if image.exists() and config.exists()
    ]
    if len(found) != 1:
        releases = ", ".join(modules.name for modules, _image, _config in found) or "none"
        raise InputError(f"the packages should hold one kernel, they hold {releases}")
    ((modules, image, config),) = found
    return UnpackedKernel(
        release=modules.name,
        name=image.relative_to(root).as_posix(),
        image=image,
        config=config.read_text(encoding="utf-8"),
        modules=modules,
    )
