"""What `xenlab sweep` is asked for: the combinations, and every wrong word before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.conftest import Run


def cells(xenlab: Run, *words: str) -> list[dict[str, str]]:
    said = xenlab("sweep", "--dry-run", "--json", "-", *words)
    assert said.code == 0, said.err
    found: list[dict[str, str]] = json.loads(said.out)["cells"]
    return found


def test_every_two_versions_meet_and_full_has_all(xenlab: Run) -> None:
    pairwise = cells(xenlab)

    assert len(pairwise) == 9
    assert {(cell["dom0_kernel"], cell["xen"]) for cell in pairwise} == {
        (kernel, xen) for kernel in ("bookworm", "trixie", "sid") for xen in ("bookworm", "trixie")
    }
    assert len(cells(xenlab, "--full")) == 18


def test_each_side_may_have_kernels_of_its_own(xenlab: Run) -> None:
    words = ("--kernels", "sid", "--domu-kernels", "bookworm, trixie,bookworm", "--xens", "trixie")

    assert cells(xenlab, *words) == [
        {"xen": "trixie", "dom0_kernel": "sid", "domu_kernel": "bookworm"},
        {"xen": "trixie", "dom0_kernel": "sid", "domu_kernel": "trixie"},
    ]


def test_dry_run_shows_a_line_a_cell_and_touches_nothing(xenlab: Run, home: Path) -> None:
    said = xenlab("sweep", "--dry-run", "--kernels", "sid", "--xens", "bookworm,trixie")

    assert said.out.splitlines() == [
        "   XEN       DOM0  DOMU", "1  bookworm  sid   sid", "2  trixie    sid   sid",
        "2 of 2 combinations",
    ]  # fmt: skip
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_all_wrong_words_are_told_at_once(xenlab: Run) -> None:
    said = xenlab("sweep", "--kernels", "trixy,/no/bzImage:/no/modules", "--xens", "4.20,trixie")

    assert said.code == 2
    assert "unknown kernel `trixy`; did you mean `trixie`" in said.err
    assert "/no/bzImage: no such file" in said.err
    assert "/no/modules: no such file" in said.err
    assert "`4.20` is not a Debian suite" in said.err
    assert said.err.count("trixy") == 1


def test_axis_without_a_word_a_wrong_driver_and_a_wrong_suite_are_refused(xenlab: Run) -> None:
    for words, told in (
        (("--kernels", ","), "--dom0-kernels: name at least one"),
        (("--netfront", "no-such-series"), "no-such-series"),
        (("--suite", "smok"), "no suite and no path `smok`; did you mean `smoke`"),
        (("--suite", "slots,gsso"), "no suite and no path `gsso`; did you mean `gso`"),
        (("--topology", "pear"), "pear"),
    ):
        said = xenlab("sweep", *words)
        assert (said.code, told in said.err) == (2, True), said.err


def test_bring_up_shows_xen_of_another_suite(xenlab: Run) -> None:
    assert "Xen of trixie" in xenlab("up", "--dry-run", "--xen", "trixie").out
    assert "Xen of bookworm" in xenlab("up", "--dry-run").out
