"""What a vif's ends agree on, asked for by the script itself where xenstore is a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xenlab.guest.agreement import OFFER, READ_AGREEMENT, REQUEST, Agreement, parse_agreement
from xenlab.transport.process import run
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

# The guest's own paths are relative; each program that is started leaves its name.
TOOL = """\
#!/bin/sh
echo "${0##*/}" >> "$STORE.started"
cd "$STORE" || exit 1
case $0 in *-list) ls "${1#/}" ;; *) cat "${1#/}" ;; esac
"""
BACKEND = "/local/domain/0/backend/vif/7/0"


def make_store(folder: Path, request: str, offer: str) -> None:
    """A connected vif 0 of a guest; a key without a value is not there."""
    frontend, backend = folder / "store/device/vif/0", folder / f"store{BACKEND}"
    for path in (frontend, backend):
        path.mkdir(parents=True)
    (frontend / "backend").write_text(BACKEND)
    for path, value in ((frontend / REQUEST, request), (backend / OFFER, offer)):
        if value:
            path.write_text(value)


def ask(folder: Path) -> CommandResult:
    for name in ("xenstore-list", "xenstore-read"):
        (folder / name).write_text(TOOL)
        (folder / name).chmod(0o755)
    env = {
        "PATH": f"{folder}:{os.environ['PATH']}", "STORE": str(folder / "store"), "vif": "0",
    }  # fmt: skip
    return run(("sh", "-c", READ_AGREEMENT), env=env, deadline=Deadline.after(10))


@pytest.mark.parametrize(
    ("request_", "offer", "agreement"),
    [
        ("", "", Agreement()),
        ("", "35", Agreement()),
        ("30", "35", Agreement(offered=35, requested=30)),
        ("30", "", Agreement(offered=0, requested=30)),
    ],
)
def test_request_and_offer_are_read(
    tmp_path: Path, request_: str, offer: str, agreement: Agreement
) -> None:
    make_store(tmp_path, request_, offer)

    assert parse_agreement("alice eth0", ask(tmp_path).require_success().text) == agreement


def test_vif_of_stock_drivers_costs_one_program(tmp_path: Path) -> None:
    make_store(tmp_path, "", "")

    ask(tmp_path).require_success()

    assert (tmp_path / "store.started").read_text().split() == ["xenstore-list"]


def test_store_that_does_not_answer_is_not_one_without_a_request(tmp_path: Path) -> None:
    assert ask(tmp_path).status != 0
