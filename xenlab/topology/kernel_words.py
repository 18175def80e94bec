"""Kernels in one word, as the command line takes them: `BASE` or `BASE+PATCH+CONFIG`.

BASE is a kernel's name, a git tree (`~/linux`, `~/linux@v6.12`), or an image and its modules
(`path/bzImage:path/lib/modules/6.12.0`). What is added is built: a series, a patch or a folder of
patches, or a configuration. A `+` that is part of a path is written twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xenlab.errors import InputError
from xenlab.topology import defaults
from xenlab.topology.kernel_origin import KernelKind, KernelOrigin
from xenlab.topology.model import KernelSpec
from xenlab.topology.wording import did_you_mean, list_names, quote

CONFIG_SUFFIX = ".config"
PLUS = "+"
SEPARATOR = re.compile(r"(?<!\+)\+(?!\+)")

# What every kernel built here has anyway: naming it says that it is to be built, and nothing else.
PLAIN_CONFIG = "base"
SLUG_CHARS = 8
DIGEST_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelWords:
    """Reads words; `known` are the kernels that have names, `configs` the configurations."""

    known: Mapping[str, KernelSpec]
    configs: Collection[str]

    def read(self, word: str) -> KernelSpec:
        """The kernel that a word means. Raises InputError with what there is."""
        base, *added = (part.replace(PLUS * 2, PLUS) for part in SEPARATOR.split(word))
        if not added and base in self.known:
            return self.known[base]
        origin = self._base(base, word)
        if added:
            origin = self._add(origin, added, word)
        return KernelSpec(name=name_of_word(word), origin=origin)

    def _base(self, base: str, word: str) -> KernelOrigin:
        if base in self.known:
            return self.known[base].origin
        if "/" not in base and not base.startswith((".", "~")):
            hint = did_you_mean(base, self.known)
            raise InputError(
                f"unknown kernel {quote(word)}{hint} (there are {list_names(self.known)};"
                " a tree or an image is named with `/`)"
            )
        image, colon, modules = base.partition(":")
        if colon or _path(image).is_file():
            if not modules:
                raise InputError(f"kernel {quote(word)}: say where its modules are: IMAGE:MODULES")
            return KernelOrigin(image=str(_path(image)), modules=str(_path(modules)))
        tree, at, ref = base.rpartition("@")
        if at and not _path(base).is_dir():
            return KernelOrigin(tree=str(_path(tree)), ref=ref)
        return KernelOrigin(tree=str(_path(base)))

    def _add(self, origin: KernelOrigin, added: list[str], word: str) -> KernelOrigin:
        if origin.kind is KernelKind.IMAGE:
            raise InputError(f"kernel {quote(word)}: an image is built already; name its tree")
        if origin.kind is KernelKind.PACKAGE:
            if origin.package != defaults.KERNEL_PACKAGE:
                raise InputError(f"kernel {quote(word)}: of {origin.package} there is no source")
            origin = replace(origin, source=defaults.KERNEL_SOURCE)
        configs = [name for name in added if self._is_config(name)]
        patches = [name for name in added if not self._is_config(name)]
        return replace(
            origin,
            configs=(*origin.configs, *map(absolute_file, configs)),
            patches=(*origin.patches, *map(absolute_file, patches)),
        )

    def _is_config(self, name: str) -> bool:
        return name in self.configs or name.endswith(CONFIG_SUFFIX)


def patched_kernel_word(word: str, patches: Sequence[str]) -> str:
    """The word for the kernel of another word, built here, whole, with patches or series on it.

    With none it is the control of every other one: the same source, and the same configuration.
    """
    built = len(SEPARATOR.split(word)) > 1
    parts = [part.replace(PLUS, PLUS * 2) for part in patches]
    return PLUS.join((word, *(parts if parts or built else [PLAIN_CONFIG])))


def absolute_file(word: str, folder: Path | None = None) -> str:
    """A file's or folder's path from the root on; a word that is a name of ours stays as it is."""
    is_path = "/" in word or "." in word
    return str(_path(word, folder)) if is_path else word


def resolve_paths(origin: KernelOrigin, folder: Path) -> KernelOrigin:
    """The same origin with every path of it taken from a folder on: where its topology lies."""
    own = {name: getattr(origin, name) for name in ("tree", "image", "modules", "config", "build")}
    return replace(
        origin,
        **{name: str(_path(path, folder)) for name, path in own.items() if path},
        patches=tuple(absolute_file(word, folder) for word in origin.patches),
        configs=tuple(absolute_file(word, folder) for word in origin.configs),
    )


def name_of_word(word: str) -> str:
    """A name for what a word means: it becomes that of a file in dom0."""
    slug = re.sub("[^a-z0-9]+", "-", word.lower().rpartition("/")[2]).strip("-")
    digest = hashlib.sha256(word.encode()).hexdigest()[:DIGEST_DIGITS]
    return f"k{slug[:SLUG_CHARS].rstrip('-')}-{digest}"


def _path(text: str, folder: Path | None = None) -> Path:
    return (folder or Path.cwd()) / Path(text).expanduser()
