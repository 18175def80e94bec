"""The heat map: every cell in its place, those that did not run too, and each reason below."""

from __future__ import annotations

import json
from io import StringIO

from tests.unit.report.stored import stored
from tests.unit.verdict.test_crossing import HERE, crossing, sweep, verdict
from xenlab.report.exhibits import KeptExhibit, parse_exhibits, render_exhibit
from xenlab.report.heat_map import label_kernels, say_time, view_sweep
from xenlab.report.heat_map_text import print_heat_map, render_heat_map
from xenlab.report.html import render_html
from xenlab.report.sweep_document import encode_sweep
from xenlab.verdict.crossing import GO_TOGETHER, Crossing, Sweep, Versions
from xenlab.verdict.outcome import Outcome

IMAGE = "/build/linux/bzImage:/build/linux/lib/modules/6.12.0"
WITHOUT_NETFRONT = f"kernel {IMAGE}: Linux 6.12.0 cannot be pv: lacks XEN_NETDEV_FRONTEND"


def cannot(domu_kernel: str = IMAGE) -> Crossing:
    versions = Versions(xen="trixie", dom0_kernel="bookworm", domu_kernel=domu_kernel)
    told = verdict(Outcome.INCONCLUSIVE, WITHOUT_NETFRONT, rule=GO_TOGETHER)
    return crossing(told, versions=versions, elapsed_s=0.6)


def mixed() -> Sweep:
    passed = crossing(verdict(Outcome.PASS), elapsed_s=312.0)
    return Sweep(
        xens=("bookworm", "trixie"), dom0_kernels=("bookworm", "trixie"),
        domu_kernels=("sid", IMAGE), crossings=(passed, cannot()),
    )  # fmt: skip


def test_plain_map_has_a_table_for_each_xen_the_reasons_and_the_sum() -> None:
    assert list(render_heat_map(view_sweep(mixed()))) == [
        "Xen of bookworm",
        "domU \\ dom0     bookworm  trixie",
        "sid             -         PASS 5:12 min",
        "bzImage:6.12.0  -         -",
        "",
        "Xen of trixie",
        "domU \\ dom0     bookworm    trixie",
        "sid             -           -",
        "bzImage:6.12.0  cannot 1 s  -",
        "",
        f"Xen trixie, dom0 bookworm, domU bzImage:6.12.0: cannot: {WITHOUT_NETFRONT}",
        "INCONCLUSIVE: 2 of 8 combinations, 1 PASS, 1 cannot, 5:13 min",
    ]


def test_cell_with_many_reasons_shows_the_first_and_how_many_there_are() -> None:
    told = crossing(*(verdict(Outcome.FAIL, f"lost {number}") for number in range(9)))

    findings = view_sweep(sweep(told)).findings
    assert [finding.rpartition(": ")[2] for finding in findings] == [
        "lost 0", "lost 1", "lost 2", "6 more in the report"
    ]  # fmt: skip


def test_pipe_gets_plain_lines() -> None:
    stream = StringIO()
    print_heat_map(view_sweep(mixed()), stream)

    assert stream.getvalue().splitlines() == list(render_heat_map(view_sweep(mixed())))


def test_terminal_gets_the_same_cells() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    print_heat_map(view_sweep(mixed()), stream)

    for word in ("Xen of trixie", "PASS 5:12 min", "cannot 1 s", "bzImage:6.12.0", "INCONCLUSIVE:"):
        assert word in stream.getvalue()


def test_version_that_booted_stands_beside_the_suite() -> None:
    told = Crossing(
        versions=HERE, outcome=Outcome.PASS, node="", cannot=False, reasons=(), elapsed_s=1.0,
        xen_version="4.17.7",
    )  # fmt: skip

    assert view_sweep(sweep(told)).blocks[0].title == "Xen of bookworm (4.17.7)"


def test_what_a_guest_says_cannot_move_the_cursor() -> None:
    (finding,) = view_sweep(
        sweep(crossing(verdict(Outcome.FAIL, "\x1b[2Jgone\nfor good")))
    ).findings

    assert "\x1b" not in finding
    assert "gone for good" in finding


def test_labels_have_no_folders_and_differ() -> None:
    words = ("sid", "~/linux@v6.12+/p/my.patch", "/a/bzImage:/a/6.1.0", "/b/bzImage:/b/6.1.0")

    assert list(label_kernels((*words, "sid")).values()) == [
        "sid", "linux@v6.12+my.patch", "bzImage:6.1.0", "bzImage:6.1.0#2"
    ]  # fmt: skip
    (long,) = label_kernels(["sid+" + "x" * 100]).values()
    assert len(long) == 32
    frags = [f"bookworm+max-skb-frags+compound-{number}" for number in (17, 18, 45)]
    assert [label[-12:] for label in label_kernels(frags).values()] == [
        "+compound-17", "+compound-18", "+compound-45"
    ]  # fmt: skip


def test_time_is_short() -> None:
    assert [say_time(seconds) for seconds in (0.2, 34.4, 61.0, 3600.0)] == [
        "0 s", "34 s", "1:01 min", "60:00 min"
    ]  # fmt: skip


def test_sweep_is_kept_and_read_again() -> None:
    line = render_exhibit(KeptExhibit(run=0, exhibit=mixed()))

    kept, problems = parse_exhibits([line.encode()])
    assert problems == ()
    assert kept[0].exhibit == mixed()


def test_document_has_each_cell_with_its_reasons() -> None:
    document = json.loads(json.dumps(encode_sweep(mixed())))

    assert (document["outcome"], document["exit_code"]) == ("INCONCLUSIVE", 7)
    assert document["combinations"] == 8
    passed, impossible = document["cells"]
    assert (passed["outcome"], passed["cannot"], passed["reasons"]) == ("PASS", False, [])
    assert (impossible["domu_kernel"], impossible["cannot"]) == (IMAGE, True)
    assert impossible["reasons"] == [WITHOUT_NETFRONT]


def test_page_has_the_map_with_its_outcomes_and_one_without_a_sweep_has_none() -> None:
    page = render_html(stored(mixed()), "/runs/1")

    assert '<td class="heat outcome-PASS">✓ PASS 5:12 min</td>' in page
    assert '<td class="heat outcome-INCONCLUSIVE">? cannot 1 s</td>' in page
    assert "cannot: kernel /build/linux/bzImage" in page
    assert "<h2>Versions</h2>" not in render_html(stored(), "/runs/1")
