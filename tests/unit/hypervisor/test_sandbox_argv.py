"""The sandbox's argv, whole, in golden files: for root and for others, with and without KVM."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import CompareGolden
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.hypervisor.sandbox import render_sandbox_argv
from xenlab.registry.places import LabPlaces

PLACES = LabPlaces(name="pair", state=Path("/state"), run=Path("/run/lab"), cache=Path("/cache"))
OURSELVES = DaemonUser(uid=1000, gid=1000, switches=False)
NOBODY = DaemonUser(uid=65534, gid=65534, switches=True)


def render(
    user: DaemonUser, *, kvm: KvmDevice | None = None, dies_with_us: bool = False
) -> list[str]:
    return render_sandbox_argv(
        PLACES, user, ["libvirtd", "--config", "x y"], kvm=kvm, dies_with_us=dies_with_us
    )


@pytest.mark.parametrize(("name", "user"), [("user", OURSELVES), ("root", NOBODY)])
def test_lab_that_stays(name: str, user: DaemonUser, golden: CompareGolden) -> None:
    golden(f"sandbox-{name}.argv", "\n".join(render(user)) + "\n")


def test_kvm_is_out_of_sight_unless_it_is_asked_for() -> None:
    assert "kvm" not in " ".join(render(NOBODY))
    argv = render(OURSELVES, kvm=KvmDevice(path=Path("/elsewhere/kvm")))
    place = argv.index("--dev-bind")
    assert argv[place : place + 3] == ["--dev-bind", "/elsewhere/kvm", "/dev/kvm"]
    assert place > argv.index("--dev")  # a bind that came first would be covered


def test_qemus_user_joins_the_group_that_opens_the_device(tmp_path: Path) -> None:
    path = tmp_path / "kvm"
    path.touch()
    path.chmod(0o600)
    assert "--clear-groups" in render(NOBODY, kvm=KvmDevice(path=path))
    path.chmod(0o660)
    device = KvmDevice(path=path)
    groups = f"--groups={device.group}" if device.group else "--clear-groups"  # root's is no help
    assert groups in render(NOBODY, kvm=device)


def test_transient_lab_ends_with_us() -> None:
    assert "--die-with-parent" in render(OURSELVES, dies_with_us=True)
    assert "--die-with-parent" not in render(OURSELVES)


def test_root_gives_up_every_right_but_those_that_make_it_nobody() -> None:
    argv = render(NOBODY)
    capabilities = [after for word, after in pairwise(argv) if word == "--cap-add"]
    assert capabilities == ["CAP_SETUID", "CAP_SETGID"]
    assert argv[argv.index("setpriv") + 1 : -3] == [
        "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"
    ]  # fmt: skip


def test_words_of_the_command_stay_words() -> None:
    assert render(OURSELVES)[-3:] == ["libvirtd", "--config", "x y"]
