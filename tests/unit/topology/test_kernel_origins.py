"""Where kernels come from: in topology files, and in one word of the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from xenlab.errors import InputError
from xenlab.topology.kernel_origin import KernelKind, KernelOrigin
from xenlab.topology.kernel_words import KernelWords, patched_kernel_word
from xenlab.topology.loading import load_topology, parse_topology
from xenlab.topology.model import KernelSpec

KNOWN = {
    "sid": KernelSpec(name="sid", origin=KernelOrigin(suite="sid")),
    "cloud": KernelSpec(name="cloud", origin=KernelOrigin(package="linux-image-cloud-amd64")),
    "ready": KernelSpec(name="ready", origin=KernelOrigin(image="/k/bzImage", modules="/k/m")),
}
WORDS = KernelWords(known=KNOWN, configs=("base", "debug"))


def origin_of(section: str) -> KernelOrigin:
    """The origin that a kernel's section means."""
    text = f"{{kernels: {{k: {section}}}, dom0: {{kernel: k}}, domus: {{a: }}}}"
    kernels = parse_topology(text.encode(), file="lab.yaml", name="lab").kernels
    return next(kernel.origin for kernel in kernels if kernel.name == "k")


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ("{suite: sid}", KernelKind.PACKAGE),
        ("{suite: sid, source: linux-source, patches: [x.patch]}", KernelKind.SOURCE),
        ("{tree: /t, ref: v6.12, configs: [debug]}", KernelKind.TREE),
        ("{image: /t/bzImage, modules: /t/m, config: /t/c, build: /t}", KernelKind.IMAGE),
    ],
)
def test_each_way_to_a_kernel_is_told_by_its_key(section: str, kind: KernelKind) -> None:
    assert origin_of(section).kind is kind


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{tree: /t, image: /i, modules: /m}", "`image` and `tree` are two kernels"),
        ("{patches: [x.patch]}", "`patches` goes with `source`, `tree`, not with `package`"),
        ("{source: linux-source, ref: v6.1}", "`ref` goes with `tree`, not with `source`"),
        ("{tree: /t, suite: sid}", "`suite` goes with `package`, `source`, not with `tree`"),
        ("{image: /i}", "`image` needs `modules`"),
        ("{tree: /t, ref: --upload-pack=x}", "is not the name of a commit"),
        ('{tree: "/t\\n"}', "is not a path"),
        ("{tree: /t, patches: x.patch}", "stands where a list"),
        ("{tree: /t, patchs: []}", "unknown key `patchs`; did you mean `patches`?"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(section: str, problem: str) -> None:
    with pytest.raises(InputError) as raised:
        origin_of(section)

    assert any(problem in line for line in raised.value.problems), raised.value.problems
    assert all(line.startswith("lab.yaml:1:") for line in raised.value.problems)


def test_paths_are_those_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(
        "kernels:\n"
        "  k: {tree: linux, patches: [a.patch, counters, /b], configs: [debug, my.config]}\n"
        "domus: {a: {kernel: k}}\n"
    )

    (origin,) = (one.origin for one in load_topology(str(path)).kernels if one.name == "k")

    assert origin.tree == str(tmp_path / "linux")
    assert origin.patches == (str(tmp_path / "a.patch"), "counters", "/b")
    assert origin.configs == ("debug", str(tmp_path / "my.config"))


def test_name_alone_is_the_kernel_of_that_name() -> None:
    assert WORDS.read("sid") is KNOWN["sid"]


def test_what_is_added_to_a_suite_is_built_from_its_source() -> None:
    origin = WORDS.read("sid+./fix.patch+counters+debug").origin

    assert origin.kind is KernelKind.SOURCE
    assert (origin.suite, origin.source) == ("sid", "linux-source")
    assert origin.patches == (str(Path.cwd() / "fix.patch"), "counters")
    assert origin.configs == ("debug",)


def test_patched_kernel_and_its_control_differ_by_the_patch_alone() -> None:
    control = WORDS.read(patched_kernel_word("sid", ())).origin
    patched = WORDS.read(patched_kernel_word("sid", ("/a+b/c++.patch",))).origin

    assert control.kind is KernelKind.SOURCE
    assert patched.patches == ("/a+b/c++.patch",)
    assert replace(patched, patches=(), configs=("base",)) == control


def test_tree_and_its_commit_are_one_word(tmp_path: Path) -> None:
    (tmp_path / "odd@name").mkdir()

    assert WORDS.read(f"{tmp_path}/linux@v6.12").origin == KernelOrigin(
        tree=f"{tmp_path}/linux", ref="v6.12"
    )
    assert WORDS.read(f"{tmp_path}/odd@name").origin.tree == f"{tmp_path}/odd@name"


def test_image_comes_with_its_modules(tmp_path: Path) -> None:
    (tmp_path / "bzImage").write_bytes(b"")

    origin = WORDS.read(f"{tmp_path}/bzImage:{tmp_path}/lib").origin

    assert (origin.image, origin.modules) == (f"{tmp_path}/bzImage", f"{tmp_path}/lib")
    with pytest.raises(InputError, match="say where its modules are: IMAGE:MODULES"):
        WORDS.read(f"{tmp_path}/bzImage")


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("side", "unknown kernel `side`; did you mean `sid`?"),
        ("$(id)", r"unknown kernel `\$\(id\)`"),
        ("ready+x.patch", "is built already"),
        ("cloud+debug", "of linux-image-cloud-amd64 there is no source"),
    ],
)
def test_word_that_means_no_kernel_is_refused(word: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        WORDS.read(word)


def test_names_of_words_are_safe_and_differ() -> None:
    names = [WORDS.read(word).name for word in ("sid+a.patch", "sid+b.patch", "/x/$(id)@v1")]

    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name.islower() for name in names)
