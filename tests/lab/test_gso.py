"""The suite gso against a lab: it passes, and a setting that did nothing would not."""

from __future__ import annotations

import pytest

from tests.lab.conftest import Xenlab
from xenlab.guest.settings import read_states
from xenlab.guest.sysctl import sysctls_set
from xenlab.lab import Lab
from xenlab.tests.gso.cells import every_cell, plain_cell
from xenlab.tests.gso.test_gso import flows_of, longest_link
from xenlab.traffic.cells import open_bench, way_of
from xenlab.traffic.ladder import Extent
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.shapes import judge_claims, judge_segmented

BUDGET_S = 60.0
SYSCTL = "net/ipv4/tcp_tso_rtt_log"


class Planted(Exception):
    """What goes wrong."""


def test_every_setting_that_a_device_took_and_ignored_is_found(opened: Lab) -> None:
    """The same claims for traffic under no setting at all."""
    link = longest_link(opened.plan)
    with open_bench(opened, link) as bench:
        plain = plain_cell(bench.way)
        run = bench.run({}, flows_of(link, plain.mtu_bytes), plain.mtu_bytes)
        cells = every_cell(bench.way, Extent.WHOLE)
    assert run.measurement is not None
    assert judge_claims("plain", plain.claims, run.sight, None).outcome is Outcome.PASS

    for cell in cells:
        for claim in cell.claims:
            if claim.controlled and cell.control == plain.name:
                verdict = judge_claims(cell.name, [claim], run.sight, run.sight)
                assert verdict.outcome is Outcome.FAIL, verdict
        if cell.mtu_bytes:
            verdict = judge_claims(cell.name, cell.claims, run.sight, None)
            assert verdict.outcome is Outcome.FAIL, verdict
        if cell.cut is not None:
            segments = cell.cut.count(run.fed)
            verdict = judge_segmented(cell.name, run.measurement, segments)
            assert verdict.outcome is Outcome.FAIL, verdict


def test_everything_on_the_way_is_what_it_was_behind_a_failure_in_the_middle(opened: Lab) -> None:
    link = longest_link(opened.plan)
    deadline = opened.budget(BUDGET_S)

    def fail() -> None:
        with open_bench(opened, link) as bench:
            before.update({node: each.base for node, each in bench.settings.items()})
            changes = bench.way.change_all(576)
            bench.settings["dom0"].apply(changes["dom0"], opened.budget(BUDGET_S))
            raise Planted

    before: dict[str, object] = {}
    with pytest.raises(Planted):
        fail()

    for node, devices in way_of(opened, link).devices.items():
        assert read_states(opened.shell(node), devices, deadline) == before[node]
    told = opened.shell(link.source).read_file(f"/proc/sys/{SYSCTL}", deadline=deadline)
    assert told.strip() == b"9"


def test_sysctl_is_what_it_was_behind_a_failure(opened: Lab) -> None:
    shell, deadline = opened.shell("alice"), opened.budget(BUDGET_S)

    def read() -> bytes:
        return shell.read_file(f"/proc/sys/{SYSCTL}", deadline=deadline).strip()

    def fail() -> None:
        with sysctls_set(shell, {SYSCTL: "20"}, deadline):
            assert read() == b"20"
            raise Planted

    with pytest.raises(Planted):
        fail()
    assert read() == b"9"


def test_suite_passes_in_its_short_form(xenlab: Xenlab, lab: str) -> None:
    done = xenlab.run("test", "gso", "--lab", lab, "--quick")

    assert done.returncode == 0, done.stdout.decode()
