"""A lab on a Xen host that is there already: here dom0 of another lab, reached by SSH alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.conftest import Xenlab
from xenlab.hypervisor.existing_host import BASE, SCRIPTS
from xenlab.lab import Lab
from xenlab.plan.model import DOM0
from xenlab.registry.record import LabState, read_record
from xenlab.waiting import Deadline, wait_until

HOST, GUEST = "rack", "racked"
RESET_FAILS = "false"
BUDGET_S = 300.0  # no bound that is tested: a busy host takes long to boot a lab in a lab


@dataclass(frozen=True, slots=True, kw_only=True)
class Rack:
    """The host, as its lab sees it, and a topology that names it."""

    lab: Lab
    topology: str

    def take_inventory(self) -> list[str]:
        """All that is there, a line a thing."""
        script = (SCRIPTS / "inventory").read_text(encoding="ascii")
        told = self.lab.shell(DOM0).run_script(script, deadline=Deadline.after(BUDGET_S))
        return sorted(set(told.require_success().text.splitlines()))


@pytest.fixture(scope="module")
def rack(xenlab: Xenlab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    """A lab whose dom0 is the host, with the key and the known host that a user would have."""
    folder = tmp_path_factory.mktemp("rack")
    xenlab.succeed("up", "pair", "--lab", HOST, "--no-proof")
    try:
        with xenlab.open(HOST) as lab:
            for domu in lab.plan.domus:  # their memory is for another lab's
                argv = ["xl", "destroy", domu.name]
                lab.shell(DOM0).run(argv, deadline=Deadline.after(BUDGET_S)).require_success()
            yield Rack(lab=lab, topology=str(write_topology(folder, lab)))
    finally:
        xenlab.run("down", GUEST)
        xenlab.succeed("down", HOST)


def write_topology(folder: Path, lab: Lab) -> Path:
    place = f"127.0.0.1]:{lab.ssh_port()}"
    (folder / "known_hosts").write_text(f"[{place} {lab.keys.host_public_key.read_text()}")
    path = folder / "racked.yaml"
    path.write_text(
        f"machine: {{ssh: 'root@{place.replace(']', '')}', identity: {lab.keys.private_key},"
        f" known_hosts: known_hosts, reset: '{RESET_FAILS}'}}\n"
        "networks: {rack: }\ndomus: {anna: , bert: }\n"
    )
    return path


def test_suites_pass_on_it_and_nothing_is_left(xenlab: Xenlab, rack: Rack, tmp_path: Path) -> None:
    before = rack.take_inventory()
    told = tmp_path / "told.json"
    done = xenlab.run("test", "smoke", "--quick", "--topology", rack.topology, "--json", str(told))

    assert done.returncode == 0, done.stdout.decode()
    (run,) = json.loads(told.read_bytes())["runs"]
    judged = {verdict["subject"] for verdict in run["verdicts"]}
    assert any("anna" in subject and "bert" in subject for subject in judged)
    assert rack.take_inventory() == before


def test_killed_run_leaves_nothing_on_the_host(xenlab: Xenlab, rack: Rack) -> None:
    before = rack.take_inventory()
    run = xenlab.start("test", "smoke", "--topology", rack.topology, "--lab", GUEST)

    def is_up() -> bool:
        assert run.poll() is None, (run.stderr.read() if run.stderr else b"").decode()
        with xenlab.home():
            record = read_record(GUEST)
        return record is not None and record.state is LabState.UP

    try:
        wait_until(is_up, "the lab on the host to be up", Deadline.after(BUDGET_S))
    finally:
        run.kill()
        run.communicate()
    # The planted fault: what is compared does differ while a lab is there.
    there = set(rack.take_inventory()) - set(before)
    assert "device br-rack" in there
    assert f"file {BASE}" in there
    refused = xenlab.run("up", rack.topology, "--lab", GUEST, "--netback", "netback-faults")
    assert refused.returncode == 2
    assert b"drivers: on" in refused.stderr
    xenlab.succeed("down", GUEST)
    assert rack.take_inventory() == before


def test_host_that_dies_is_an_error_of_the_lab_and_its_reset_command_is_run(
    xenlab: Xenlab, rack: Rack
) -> None:
    xenlab.succeed("up", rack.topology, "--lab", GUEST, "--no-proof")
    rack.lab.machine.destroy()
    ended = xenlab.run("test", "smoke", "--lab", GUEST)
    assert ended.returncode == 6
    assert b"does not answer" in ended.stderr or b"not answering" in ended.stderr
    assert f"reset command: `{RESET_FAILS}`".encode() in ended.stderr
    kept = xenlab.run("down", GUEST)
    assert kept.returncode == 4
    assert f"the reset command `{RESET_FAILS}`".encode() in kept.stderr
    shutil.rmtree(xenlab.state / "labs" / GUEST)  # its host is gone for good
