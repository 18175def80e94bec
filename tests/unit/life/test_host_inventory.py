"""The inventory of a host: what a lab has to answer for, and what a host does by itself."""

from __future__ import annotations

from pathlib import Path

from xenlab.life.host_inventory import HostInventory, is_telling

BEFORE = HostInventory(lines=("device eth0", "module bridge", "process init", "setting a 1"))


def test_same_inventory_has_no_changes() -> None:
    assert not list(BEFORE.find_changes(BEFORE))


def test_what_came_and_what_went_is_told_and_a_process_alone_is_nobodys_fault() -> None:
    now = HostInventory(lines=("device eth0", "device vif7.0", "process cron", "setting a 2"))
    changes = list(BEFORE.find_changes(now))
    assert changes == [
        "+ device vif7.0", "+ process cron", "+ setting a 2",
        "- module bridge", "- process init", "- setting a 1",
    ]  # fmt: skip
    assert [change for change in changes if not is_telling(change)] == [
        "+ process cron", "- process init",
    ]  # fmt: skip


def test_inventory_is_kept_in_the_labs_state(tmp_path: Path) -> None:
    assert HostInventory.find(tmp_path) is None
    BEFORE.keep(tmp_path)
    assert HostInventory.find(tmp_path) == BEFORE
