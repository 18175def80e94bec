"""`xenlab try` of a series whose second patch is stale: refused before anything is built or run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.kernel.small_tree import git, make_tree
from tests.unit.cli.conftest import Run

DRIVER, CORE = "drivers/net/xen-netfront.c", "net/core/skbuff.c"
RELEASE = "9.9.0-xenlab"


def diff(file: str, before: str, after: str) -> str:
    return f"--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n-{before}\n+{after}\n"


def write_series(folder: Path, *patches: str) -> Path:
    folder.mkdir()
    for number, text in enumerate(patches, start=1):
        (folder / f"{number:04}.patch").write_text(text)
    return folder


@pytest.fixture
def tree(home: Path) -> Path:
    """A kernel's source, where a kernel was built as well."""
    tree = make_tree(home / "linux")
    (tree / ".gitignore").write_text(".config\nModule.symvers\n")
    (tree / ".config").write_text("CONFIG_GCC_VERSION=10000\n")
    (tree / "Module.symvers").write_text("")
    return tree


def prebuilt(home: Path, tree: Path) -> str:
    """The word for a kernel that was built there."""
    modules = home / "modules" / RELEASE
    modules.mkdir(parents=True)
    (modules / "modules.builtin").write_text("")
    (modules / "build").symlink_to(tree)
    (home / "bzImage").write_bytes(b"")
    return f"{home / 'bzImage'}:{modules}"


def on_kernel(word: str) -> tuple[str, ...]:
    return ("--dom0-kernel", word, "--domu-kernel", word)


@pytest.mark.parametrize("options", [("--per-patch", "--quick"), ("--quick",), ()])
def test_stale_hunk_of_a_driver_is_shown_and_nothing_is_run(
    xenlab: Run, home: Path, tree: Path, options: tuple[str, ...]
) -> None:
    series = write_series(
        home / "mine",
        diff(DRIVER, "int front;", "int front = 1;"),
        diff(DRIVER, "int front;", "int front = 2;"),
    )
    status = git(tree, "status", "--porcelain")

    said = xenlab("try", str(series), *options, *on_kernel(prebuilt(home, tree)))

    assert said.code == 2
    assert f"{series / '0002.patch'}:3: hunk 1 of {DRIVER} does not apply" in said.err
    assert git(tree, "status", "--porcelain") == status
    assert said.out == ""


@pytest.mark.parametrize("options", [("--per-patch", "--quick"), ("--quick",), ()])
@pytest.mark.parametrize("kernel", ["{tree}", "{tree}+base"])
def test_stale_hunk_of_a_whole_kernel_is_shown_before_any_is_built(
    xenlab: Run, home: Path, tree: Path, kernel: str, options: tuple[str, ...]
) -> None:
    line = "#include <linux/skbuff.h>"
    series = write_series(
        home / "mine",
        f"--- a/{CORE}\n+++ b/{CORE}\n@@ -1,2 +1,3 @@\n+/* one */\n {line}\n int skb_limit(void)\n",
        f"--- a/{CORE}\n+++ b/{CORE}\n@@ -1,2 +1,3 @@\n+/* two */\n {line}\n int skb_count(void)\n",
    )
    status = git(tree, "status", "--porcelain")

    said = xenlab("try", str(series), *options, *on_kernel(kernel.format(tree=tree)))

    assert said.code == 2
    assert f"{series / '0002.patch'}:3: hunk 1 of {CORE} does not apply" in said.err
    assert git(tree, "status", "--porcelain") == status
    assert said.out == ""
    assert not list((home / "cache").rglob("built-kernel-*"))
    assert not list((home / "cache").rglob("out-*"))


def test_stale_hunk_of_a_driver_of_a_kernel_that_is_not_built_yet_is_shown_before_that(
    xenlab: Run, home: Path, tree: Path
) -> None:
    series = write_series(home / "mine", diff(DRIVER, "int back;", "int back = 1;"))

    said = xenlab("try", str(series), *on_kernel(str(tree)))

    assert said.code == 2
    assert f"{series / '0001.patch'}:3: hunk 1 of {DRIVER} does not apply" in said.err
    assert not list((home / "cache").rglob("out-*"))
    subprocess.run(["git", "-C", tree, "diff", "--exit-code"], check=True)
