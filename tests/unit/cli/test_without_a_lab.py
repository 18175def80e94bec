"""What every command says where no lab is, and where what is asked for is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


@pytest.mark.parametrize(
    "words",
    [["exec", "alice", "true"], ["ssh", "alice"], ["console", "alice"], ["logs", "alice"]],
)
def test_command_that_needs_a_lab_says_how_to_get_one(xenlab: Run, words: list[str]) -> None:
    said = xenlab(*words)

    assert said.code == 2
    assert "no lab is up" in said.err
    assert "try: xenlab up" in said.err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--", "ls"), "xenlab exec dom0 -- ls"),
        (("--", "ls", "-l", "/"), "xenlab exec dom0 -- ls -l /"),
        (("--lab", "x", "--", "ls"), "xenlab exec --lab x dom0 -- ls"),
        (("alice",), "Missing argument 'COMMAND...'"),
    ],
)
def test_command_without_its_node_is_told_where_that_goes(
    xenlab: Run, words: tuple[str, ...], line: str
) -> None:
    said = xenlab("exec", *words)

    assert said.code == 2
    assert line in said.err


@pytest.mark.parametrize("command", ["exec", "ssh", "console", "logs"])
def test_node_that_is_missing_is_asked_for_with_those_there_can_be(
    xenlab: Run, command: str
) -> None:
    said = xenlab(command)

    assert said.code == 2
    assert "Missing argument 'NODE'. Name `dom0` or a domU" in said.err
    assert ("`libvirtd`, `qemu`, `sandbox`" in said.err) == (command == "logs")


def test_lab_named_twice_differently_is_refused(xenlab: Run) -> None:
    said = xenlab("exec", "--lab", "one", "two/alice", "true")

    assert said.code == 2
    assert "`two/alice` is in lab `two`, but --lab says `one`" in said.err


@pytest.mark.parametrize("words", [["down"], ["down", "pair"], ["down", "mine"], ["down", "--all"]])
def test_down_without_a_lab_is_well(xenlab: Run, words: list[str]) -> None:
    assert xenlab(*words).code == 0


def test_status_without_a_lab_says_how_to_get_one(xenlab: Run) -> None:
    assert xenlab("status").out == "no lab is there; try: xenlab up\n"
    assert json.loads(xenlab("status", "--json").out) == {"schema_version": 1, "labs": []}


def test_logs_of_a_failed_up_are_found_by_the_name_of_its_lab(xenlab: Run, home: Path) -> None:
    folder = home / "state" / "xenlab" / "failures" / "pair" / "logs"
    folder.mkdir(parents=True)
    (folder / "dom0.console.log").write_bytes(b"(XEN) Panic\n")

    said = xenlab("logs", "--lab", "pair", "dmo0")

    assert said.code == 2
    assert "no log of `dmo0`; did you mean `dom0`?" in said.err


def test_suite_of_vifs_is_refused_where_there_is_no_xen(xenlab: Run) -> None:
    said = xenlab("test", "smoke", "slots", "--topology", "uplink-no-xen")

    assert said.code == 2
    assert "`slots` look into Xen and vifs, and `uplink-no-xen` boots no Xen" in said.err


def test_suite_that_looks_into_dom0_is_refused_where_a_domu_is_the_backend(xenlab: Run) -> None:
    said = xenlab("test", "slots", "smoke", "rx", "--topology", "driver-domain")

    assert said.code == 2
    assert (
        "`rx`, `slots` look into dom0's vifs, and those of `driver-domain` are in `firewall`,"
        " `netvm`" in said.err
    )


def test_suite_that_is_not_there_is_named_with_those_that_are(xenlab: Run) -> None:
    said = xenlab("test", "smok")

    assert said.code == 2
    assert (
        "no suite and no path `smok`; did you mean `smoke`? (suites: `adjacent`, `compound`,"
        " `driverdomain`, `fraglist`, `gso`, `iommu`, `malformed`, `modes`, `nomem`,"
        " `overrun`, `pktgen`, `rx`, `slots`, `smoke`, `soak`, `strategies`, `upkeep`)" in said.err
    )


def test_expression_that_selects_nothing_sensible_is_refused_before_a_lab_comes_up(
    xenlab: Run,
) -> None:
    said = xenlab("test", "smoke", "-k", "bad(")

    assert said.code == 2
    assert "Wrong expression passed to '-k': bad(" in said.err


@pytest.mark.parametrize("limit", ["5", "x", "5XB", "-1"])
def test_gc_takes_sizes_and_nothing_else(xenlab: Run, limit: str) -> None:
    assert xenlab("gc", "--limit", limit).code == (0 if limit == "5" else 2)


def test_gc_removes_old_results_and_no_recent_ones(xenlab: Run, home: Path) -> None:
    runs = home / "state" / "xenlab" / "runs"
    for number in range(60):
        (runs / f"20260101-0000{number:02}-1").mkdir(parents=True)

    rehearsed = json.loads(xenlab("gc", "--dry-run", "--json").out)["removed"]
    removed = json.loads(xenlab("gc", "--json").out)["removed"]

    assert rehearsed == removed
    assert len(removed) == 10
    assert len(list(runs.iterdir())) == 50
    assert (runs / "20260101-000059-1").is_dir()


def test_where_other_labs_are_they_are_shown_and_not_a_new_one(xenlab: Run, home: Path) -> None:
    for name in ("pair", "quad"):
        (home / "state" / "xenlab" / "labs" / name).mkdir(parents=True)

    assert xenlab("exec", "piar/alice", "true").err == (
        "xenlab: there is no lab `piar`; did you mean `pair`? (there are `pair`, `quad`)\n"
        "  try: xenlab status\n"
    )
    several = "xenlab: there are several labs (`pair`, `quad`): say which"
    assert xenlab("down").err.startswith(f"{several} by its name, or --all\n")
    assert xenlab("logs", "alice").err.startswith(f"{several} with --lab\n")


def test_down_of_a_name_that_nothing_has_is_refused_where_labs_are(xenlab: Run, home: Path) -> None:
    labs = home / "state" / "xenlab" / "labs"
    (labs / "mine").mkdir(parents=True)

    said = xenlab("down", "mien")

    assert said.code == 2
    assert said.err == (
        "xenlab: there is no lab `mien`; did you mean `mine`? (there are `mine`)\n"
        "  try: xenlab status\n"
    )
    again = xenlab("down", "pair")  # as in a script that makes sure of it
    assert (again.code, again.out) == (0, "there is no lab `pair` (there are `mine`)\n")
    assert (labs / "mine").is_dir()


def test_one_lab_and_all_labs_cannot_be_meant_at_once(xenlab: Run, home: Path) -> None:
    (home / "state" / "xenlab" / "labs" / "mine").mkdir(parents=True)

    said = xenlab("down", "--all", "mine")

    assert said.code == 2
    assert "--all takes every lab down: leave `mine` out, or leave --all out" in said.err
    assert (home / "state" / "xenlab" / "labs" / "mine").is_dir()


def test_seed_and_duration_of_a_soak_are_checked_before_anything_is_started(xenlab: Run) -> None:
    for words, why in (
        (("--seed", "x"), "--seed `x`: should be SEED or SEED:ROUND"),
        (("--duration", "soon"), "--duration `soon`: should be like 90s, 10m or 2h"),
        (("--duration", "5"), "--duration `5`: should be 5s, 5m or 5h: it has no unit"),
    ):
        said = xenlab("test", "soak", *words)

        assert (said.code, why in said.err) == (2, True)
