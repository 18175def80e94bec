"""Whole kernels: built from a git tree with patches, kept by content, and told why they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.kernel.small_tree import OWN_SYMBOL, commit, git, make_tree
from xenlab.errors import DoesNotCompile, InputError
from xenlab.kernel.built import BuiltKernel
from xenlab.kernel.choice import KernelShop
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.notes import read_notes
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.workshop import Workshop
from xenlab.topology.kernel_origin import KernelOrigin

SKBUFF = "net/core/skbuff.c"
PATCH = f"""\
--- a/{SKBUFF}
+++ b/{SKBUFF}
@@ -1,5 +1,5 @@
 #include <linux/skbuff.h>
 int skb_limit(void)
 {{
-	return 17;
+	return 45;
 }}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "linux")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def shop(workshop: Workshop, tmp_path: Path, told: list[str]) -> KernelShop:
    """A cache of its own, so that nothing is built yet."""
    store = replace(workshop.store, folder=tmp_path / "cache/images", report=told.append)
    return replace(workshop.shop, store=store, cache=tmp_path / "cache")


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def built(shop: KernelShop, tree: Path, **words: tuple[str, ...]) -> BuiltKernel:
    return shop.built(KernelOrigin(tree=str(tree), **words))  # type: ignore[arg-type]


def test_build_gives_image_configuration_modules_headers_and_source(
    shop: KernelShop, tree: Path
) -> None:
    kernel = built(shop, tree)

    unpacked = kernel.unpack(tree)

    assert unpacked.release == kernel.read_release() == "9.9.0-xenlab"
    notes = read_notes(unpacked.image.read_bytes(), "vmlinux")
    assert notes.can_boot_pv
    assert notes.can_boot_pvh
    assert len(bytes.fromhex(notes.build_id)) == 20
    assert KernelConfig.parse(unpacked.config).has("XEN_NETDEV_BACKEND")
    assert (unpacked.modules / "modules.builtin").is_file()
    assert unpacked.skb_users == "212"
    assert (kernel.provide_headers().build / "Makefile").is_file()
    assert (kernel.provide_source().folder / "drivers/net/xen-netback/netback.c").is_file()
    assert not [path for path in kernel.provide().folder.rglob("*") if path.is_symlink()]


def test_what_was_built_is_not_built_again_and_a_patch_compiles_what_it_changes(
    shop: KernelShop, tree: Path, tmp_path: Path, told: list[str]
) -> None:
    base = built(shop, tree)
    patched = built(shop, tree, patches=(write(tmp_path / "limit.patch", PATCH),))
    first = base.provide()
    (out,) = (tmp_path / "cache/builds").glob("*/out-*")
    dates = {path.name: path.stat().st_mtime_ns for path in out.rglob("*.o")}

    second = patched.provide()

    assert (
        read_notes(first.path("vmlinux").read_bytes(), "a").build_id
        != read_notes(second.path("vmlinux").read_bytes(), "b").build_id
    )
    rebuilt = {
        path.name for path in out.rglob("*.o") if path.stat().st_mtime_ns != dates[path.name]
    }
    assert rebuilt == {"skbuff.o", "all.o"}
    told.clear()
    assert (base.provide(), patched.provide()) == (first, second)
    assert told == []


def test_same_source_gives_the_same_bytes_wherever_it_is_built(
    shop: KernelShop, tree: Path, tmp_path: Path
) -> None:
    elsewhere = replace(
        shop, store=replace(shop.store, folder=tmp_path / "b/images"), cache=tmp_path / "b"
    )

    assert built(shop, tree).provide().sha256 == built(elsewhere, tree).provide().sha256


def test_compiler_errors_are_shown_with_their_lines_and_nothing_is_left(
    shop: KernelShop, tree: Path, tmp_path: Path
) -> None:
    wrong = write(tmp_path / "wrong.patch", PATCH.replace("return 45;", "return nowhere;"))

    with pytest.raises(DoesNotCompile) as raised:
        built(shop, tree, patches=(wrong,)).provide()

    (problem,) = raised.value.problems
    assert problem.startswith(f"{SKBUFF}:4:16: error: ")
    assert "return nowhere;" in problem
    assert not list(shop.store.folder.glob("built-kernel-*"))
    assert git(tree, "status", "--porcelain") == ""
    assert built(shop, tree).provide().path("vmlinux").is_file()


def test_symbol_that_the_source_lacks_ends_it_before_anything_is_compiled(
    shop: KernelShop, tree: Path, tmp_path: Path
) -> None:
    fragment = write(tmp_path / "mine.config", "CONFIG_NOWHERE=y\n")
    text = (tree / "Makefile").read_text()
    (tree / "Makefile").write_text(
        text.replace(">$(out)/.config", f"| grep -v -e NOWHERE -e {OWN_SYMBOL} >$(out)/.config")
    )
    commit(tree)

    with pytest.raises(InputError) as raised:
        built(shop, tree, configs=("compound-45", fragment)).provide()

    assert not isinstance(raised.value, DoesNotCompile)
    asked, unknown = raised.value.problems
    assert f"{OWN_SYMBOL}=45 became n: what it depends on is missing" in asked
    assert unknown == f"{fragment}:1:1: CONFIG_NOWHERE=y: this source has no such symbol"
    assert not list((tmp_path / "cache/builds").glob("*/out-*/**/*.o"))


def test_series_is_tried_on_a_source_without_a_build_and_on_top_of_what_it_has(
    shop: KernelShop, tree: Path, tmp_path: Path
) -> None:
    fits = PatchSeries.read(Path(write(tmp_path / "limit.patch", PATCH)))
    base = built(shop, tree)
    patched = built(shop, tree, patches=(str(tmp_path / "limit.patch"),))

    base.require_applicable(fits)
    with pytest.raises(InputError, match=r"limit\.patch: it is applied already"):
        patched.require_applicable(fits)

    assert not base.is_built
    assert not list((tmp_path / "cache/builds").glob("*/out-*"))
    assert git(tree, "status", "--porcelain") == ""


def test_skb_whose_users_are_elsewhere_is_no_error_of_what_was_patched(
    shop: KernelShop, tree: Path, tmp_path: Path
) -> None:
    header = "include/linux/skbuff.h"
    line = next(each for each in (tree / header).read_text().splitlines() if "users" in each)
    other = line.replace("users", "holders")
    patch = f"--- a/{header}\n+++ b/{header}\n@@ -4 +4 @@\n-{line}\n+{other}\n"

    with pytest.raises(InputError, match="where `users` lies in struct sk_buff") as raised:
        built(shop, tree, patches=(write(tmp_path / "users.patch", patch),)).provide()

    assert not isinstance(raised.value, DoesNotCompile)


def test_tree_that_is_no_kernel_is_refused(shop: KernelShop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "README").write_text("not a kernel\n")
    commit(other)

    with pytest.raises(InputError, match="so no source of a kernel"):
        built(shop, other).provide()
