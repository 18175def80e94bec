"""Bases: what suites came to without a patch, kept by the digest of all that decides it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import xenlab
from xenlab.registry.places import cache_dir

# Whatever of xenlab has a say in a verdict: its program, the C in images and modules.
PROGRAM = ("*.py", "*.c", "*.h", "*.patch")


def find_base(key: str) -> Path | None:
    """The folder of the base of that key, if it is kept."""
    folder = bases_folder() / key
    return folder if folder.is_dir() else None


def keep_base(key: str, files: Mapping[str, str]) -> None:
    """Keep a base, whole or not at all, in place of what is there under its key."""
    folder = bases_folder() / key
    part = folder.with_name(f".{key}.{os.getpid()}.part")
    part.mkdir(mode=0o700, parents=True)
    try:
        for name, text in files.items():
            (part / name).write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def bases_folder() -> Path:
    """Where all of them are."""
    return cache_dir() / "bases"


def digest_words(words: Iterable[str]) -> str:
    """One digest over words, none of which can be mistaken for two."""
    text = "".join(f"{len(word)}:{word}" for word in words)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def digest_program() -> str:
    """The digest of xenlab itself, which is more than its version: somebody may be changing it."""
    package = Path(xenlab.__file__).parent
    installed = package / "kernels"
    roots = (package, installed if installed.is_dir() else package.parent / "kernels")
    files = sorted(path for root in roots for kind in PROGRAM for path in root.rglob(kind))
    return digest_words(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
