"""The table of mutants: on a terminal, and in a page whose other rows stay."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.verdict.test_mutation import CATCH, FAILED, mutation
from xenlab.report.mutations import (
    encode_mutation,
    find_decided,
    render_mutation,
    render_table,
    update_page,
)

KILLED = mutation(catch=CATCH)
PASSED = mutation(harmless=True)
PAGE = """\
# Mutants

| mutant | ending | seconds | by which test and rule |
|---|---|---|---|
| `netback-a` | killed | 3 | test_a.py::test_a: FAIL no loss |
| `netfront-x` | survived | 9 |  |

The end.
"""


def test_table_names_the_test_the_rule_and_the_reason() -> None:
    lines = list(render_table([KILLED, mutation(), PASSED]))

    assert lines[1].split() == [
        "netfront-x", "killed", "2", "test_smoke.py::test_flows:", "FAIL", "no", "loss:", "lost",
        "pass",
    ]  # fmt: skip
    assert lines[3].split() == ["harmless/netfront-x", "passed", "2"]
    assert lines[-1] == (
        "1 killed, 1 survived, 1 passed; 1.5 s each; controls on stock drivers: 1, 3.0 s in all"
    )


def test_control_that_several_share_counts_once_and_the_means_are_without_it() -> None:
    *_, said = render_table([KILLED, replace(KILLED, name="netfront-y")])

    assert said == "2 killed; 1.5 s each; controls on stock drivers: 1, 3.0 s in all"
    assert list(render_table([mutation()]))[-1] == "1 survived; 1.5 s each"


def test_table_and_document_say_what_stock_drivers_came_to() -> None:
    waiting, failed = mutation(catch=CATCH, control=None), mutation(catch=CATCH, control=FAILED)

    assert [render_mutation(each)[-1] for each in (KILLED, waiting, failed, PASSED)] == [
        "pass", "not tried", "FAIL no loss", ""
    ]  # fmt: skip
    assert encode_mutation(KILLED)["control"] == {
        "passed": True, "why_not": None, "elapsed_s": 3.0
    }  # fmt: skip
    assert encode_mutation(waiting)["control"] is None


def test_page_has_the_new_rows_in_their_places_and_keeps_the_others() -> None:
    page = update_page(PAGE, [PASSED, KILLED])

    assert page.splitlines()[2:] == [
        "| mutant | ending | seconds | by which test and rule | stock drivers there |",
        "|---|---|---|---|---|",
        "| `netback-a` | killed | 3 | test_a.py::test_a: FAIL no loss |",
        "| `netfront-x` | killed | 2 | test_smoke.py::test_flows: FAIL no loss: lost | pass |",
        "| `harmless/netfront-x` | passed | 2 |  |  |",
        "",
        "The end.",
    ]
    assert update_page(page, [KILLED]) == page


def test_mutant_is_decided_by_any_row_but_one_that_says_undecided() -> None:
    page = update_page(PAGE, [PASSED, mutation(trouble="gso: LAB_ERROR")])

    assert find_decided(PAGE) == {"netback-a", "netfront-x"}
    assert find_decided(page) == {"netback-a", "harmless/netfront-x"}
    assert find_decided("# Mutants\n") == frozenset()


def test_page_without_a_table_gets_one() -> None:
    page = update_page("# Mutants\n", [KILLED])

    assert page.splitlines()[:3] == [
        "# Mutants",
        "| mutant | ending | seconds | by which test and rule | stock drivers there |",
        "|---|---|---|---|---|",
    ]


def test_text_of_a_lab_does_not_break_the_table() -> None:
    broken = mutation(trouble="gso: \x1b[31mLAB_ERROR | a\nb" + "c" * 300)
    *_, row = update_page("", [broken]).splitlines()

    assert "\x1b" not in row
    assert row.count("|") == 6
    assert row.endswith("... |  |")
