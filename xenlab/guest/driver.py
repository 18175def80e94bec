"""A driver in a node: brought there, loaded, and proved to be the one that was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import DriverFailed, LabError, WaitTimedOut
from xenlab.kernel.driver import STOCK, Driver, DriverKind
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.notes import find_build_id
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until
from xenlab.xen.vif import CONNECT_VIFS, render_take_up

FOLDER = "/run/xenlab"

# xenbus holds the module for each device that is bound to it (linux: xenbus_dev_probe). There may
# be none left, and one that goes meanwhile cannot be unbound: what counts is that none holds it.
UNBIND_VIFS = """\
drivers=/sys/bus/xen/drivers/vif
for device in $drivers/vif-*; do
	[ ! -e "$device" ] || echo "${device##*/}" > $drivers/unbind
done
true
"""

# No frontend takes back what it asked for, and one that does not know a key leaves it as it is: the
# backend would take it for the next one's.
FORGET_REQUESTS = """\
for vif in $(xenstore-list device/vif 2>/dev/null); do
	for key in $(xenstore-list "device/vif/$vif"); do
		case $key in feature-* | request-*) set -- "$@" "device/vif/$vif/$key" ;; esac
	done
done
[ $# = 0 ] || xenstore-rm "$@"
"""
UNLOAD_NETFRONT = f"""\
[ ! -e /sys/module/xen_netfront ] || rmmod xen_netfront || exit
{FORGET_REQUESTS}"""

# Every vif of the plan is detached, for each of them holds the module. Some of it may be gone, if a
# load before this one failed.
DETACH_VIFS = """\
for table in /xenlab/vifs/*; do
	node=${table##*/}
	domid=$(xl domid "$node") || exit 1
	while read -r index rest; do
		[ ! -e "/sys/bus/xen-backend/devices/vif-$domid-$index" ] ||
			xl network-detach "$node" "$index" || exit 1
	done < "$table"
done
"""

# $1: who holds the module. xl waits until a backend has closed; its vif is freed, and lets go of
# the module, by xenbus' own thread some time later (netback_remove(), xen-netback/xenbus.c), and
# so does the frontend's device.
HOLDERS = '[ ! -e "$1" ] || cat "$1"'

# $1...: bridges, which are made again with the vifs.
UNLOAD_NETBACK = """\
[ ! -e /sys/module/xen_netback ] || rmmod xen_netback || exit 1
for bridge; do
	[ ! -e "/sys/class/net/$bridge" ] || ip link del "$bridge" || exit 1
done
"""

# The NIC was a port of a bridge that is another one now.
REJOIN_UPLINK = "[ ! -e /xenlab/uplink.ip ] || ip -batch /xenlab/uplink.ip"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDriver:
    """A driver's module as it lies in a node."""

    kind: DriverKind
    name: str
    path: str
    build_id: str


def push_driver(shell: Shell, driver: Driver, deadline: Deadline) -> NodeDriver:
    """Bring a driver's module into a node; the stock one is there already."""
    if driver.file is None:
        path = _find_stock(shell, driver.kind, deadline)
    else:
        path = driver_path(driver.kind, driver.build_id)
        shell.write_file(path, driver.file.path.read_bytes(), deadline=deadline)
    return NodeDriver(kind=driver.kind, name=driver.name, path=path, build_id=driver.build_id)


def read_stock(shell: Shell, kind: DriverKind, deadline: Deadline) -> NodeDriver:
    """The driver in a node's own image, with the build id of the file there."""
    path = _find_stock(shell, kind, deadline)
    module = ModuleFile.parse(Path(path), shell.read_file(path, deadline=deadline))
    return NodeDriver(kind=kind, name=STOCK, path=path, build_id=module.build_id)


def read_loaded(shell: Shell, kind: DriverKind, deadline: Deadline) -> NodeDriver:
    """The driver that a node has loaded: one that was brought there, or the stock one."""
    build_id = read_build_id(shell, kind, deadline)
    path = driver_path(kind, build_id)
    if shell.run(["test", "-e", path], deadline=deadline).status == 0:
        return NodeDriver(kind=kind, name=build_id, path=path, build_id=build_id)
    stock = read_stock(shell, kind, deadline)
    prove_driver(shell, stock, deadline)
    return stock


def prove_driver(shell: Shell, driver: Driver | NodeDriver, deadline: Deadline) -> None:
    """Return if the module that a node has loaded is this one, by its build id; else LabError."""
    loaded = read_build_id(shell, driver.kind, deadline)
    if loaded != driver.build_id:
        raise LabError(
            f"{shell.where} runs another {driver.kind.module} than it was told to:"
            f" build id {loaded}, and that of {driver.name} is {driver.build_id}",
            phase="prove the drivers",
        )


def read_build_id(shell: Shell, kind: DriverKind, deadline: Deadline) -> str:
    """The build id of a loaded driver. Raises LabError if it is not loaded."""
    path = f"/sys/module/{kind.module}/notes/.note.gnu.build-id"
    return parse_build_id(shell.where, shell.read_file(path, deadline=deadline))


def parse_build_id(where: str, note: bytes) -> str:
    """The build id in an ELF note, in hexadecimal digits."""
    with suppress(ValueError):
        if build_id := find_build_id(note):
            return build_id
    raise LabError(f"{where}: the note of a loaded module is no build id: {note[:64].hex()}")


def unload_netfront(shell: Shell, deadline: Deadline) -> None:
    """Take a domU's netfront out. Raises DriverFailed where it is not let go.

    What it asked its backends for is gone from xenstore then.
    """
    shell.run_script(UNBIND_VIFS, deadline=deadline).require_success()
    _await_release(shell, DriverKind.NETFRONT, deadline)
    shell.run_script(UNLOAD_NETFRONT, deadline=deadline).require_success()


def unload_netback(shell: Shell, bridges: Sequence[str], deadline: Deadline) -> None:
    """Detach all vifs of dom0's and take its netback out. Raises DriverFailed if it is not let go.

    The frontends have to be there to let go of their vifs.
    """
    shell.run_script(DETACH_VIFS, deadline=deadline).require_success()
    _await_release(shell, DriverKind.NETBACK, deadline)
    shell.run_script(UNLOAD_NETBACK, *bridges, deadline=deadline).require_success()


def load_driver(
    shell: Shell, driver: NodeDriver, parameters: Mapping[str, str], deadline: Deadline
) -> None:
    """Load a driver with these parameters, where none is, and prove it.

    A domU's vifs are connected and addressed then, every netfront device has its carrier; whether
    netback is as far, dom0 alone knows. In dom0 all vifs are attached anew, and have to be taken
    up in the domUs.
    """
    words = [f"{name}={value}" for name, value in parameters.items()]
    if driver.kind is DriverKind.NETBACK:
        shell.run([CONNECT_VIFS, driver.path, *words], deadline=deadline).require_success()
        shell.run_script(REJOIN_UPLINK, deadline=deadline).require_success()
    else:
        argv = render_take_up(deadline, driver.path, *words)
        shell.run(argv, deadline=deadline).require_success()
    prove_driver(shell, driver, deadline)


def _await_release(shell: Shell, kind: DriverKind, deadline: Deadline) -> None:
    """Wait until no vif holds a driver any more. Raises DriverFailed where they never let go."""
    seen: list[str] = []
    holders = f"/sys/module/{kind.module}/refcnt"

    def is_free() -> bool:
        told = shell.run_script(HOLDERS, holders, deadline=deadline).require_success()
        seen.append(told.text.strip())
        return seen[-1] in {"", "0"}

    # Who answers up to then is well, and has detached all vifs.
    soon = deadline.at_most(deadline.remaining_s / 2)
    try:
        wait_until(is_free, f"every vif to let go of {kind.module}", soon)
    except WaitTimedOut as error:
        if not seen or is_free():
            raise
        what = f"{shell.where}: no vif is left, and {seen[-1]} still hold {kind.module}"
        raise DriverFailed(what, phase="") from error


def take_up_vifs(shell: Shell, deadline: Deadline) -> None:
    """Have a domU's vifs connected and addressed once they were attached anew."""
    shell.run(render_take_up(deadline), deadline=deadline).require_success()


def write_parameter(
    shell: Shell, driver: NodeDriver, name: str, value: str, deadline: Deadline
) -> None:
    """Set a parameter of a loaded driver. Raises LabError unless it reads as it was set."""
    path = f"/sys/module/{driver.kind.module}/parameters/{name}"
    script = 'printf %s "$2" > "$1" && cat "$1"'
    told = shell.run_script(script, path, value, deadline=deadline).require_success()
    if told.text.strip() != value:
        raise LabError(f"{shell.where}: {path} is {told.text.strip()!r} and not {value!r}")


def driver_path(kind: DriverKind, build_id: str) -> str:
    """Where a module that was brought into a node lies: it can be told from all others."""
    return f"{FOLDER}/xen-{kind}-{build_id}.ko"


def _find_stock(shell: Shell, kind: DriverKind, deadline: Deadline) -> str:
    asked = shell.run(["modinfo", "-n", f"xen-{kind}"], deadline=deadline)
    return asked.require_success().text.strip()
