"""The vifs of a lab as xenstore tells of them: state and features of both ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.negotiation import VifEnd, VifNegotiation, XenbusState
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until
from xenlab.xen.xenstore import XenstoreTree, read_xenstore

AWAIT_VIFS = "await-vifs"  # tools/vif-bridge
SERVE_VIFS = "serve-vifs"  # rootfs/domu
ATTACH_VIFS = "attach-vifs"  # rootfs/dom0
CONNECT_VIFS = "connect-vifs"  # rootfs/dom0 and rootfs/domu, two programs
# Of the time that a domU has, what it waits for its vifs; it says then what has not come.
WAITING_SHARE = 0.75
DOMAINS = "/local/domain"
DOM0_DOMID = 0

_NAME = re.compile(r"vif(?P<domid>\d+)\.(?P<index>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vif:
    """The backend's end of a domU's netfront device: `vif3.0` is device 0 of domain 3."""

    domid: int
    index: int
    backend_domid: int = DOM0_DOMID

    @classmethod
    def parse(cls, name: str) -> Vif:
        """The vif of a device name. Raises ValueError for any other name."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is not the name of a vif")
        return cls(domid=int(match["domid"]), index=int(match["index"]))

    def __str__(self) -> str:
        return f"vif{self.domid}.{self.index}"

    @property
    def backend_path(self) -> str:
        """Where netback keeps its keys."""
        return f"{DOMAINS}/{self.backend_domid}/backend/vif/{self.domid}/{self.index}"

    @property
    def frontend_path(self) -> str:
        """Where netfront keeps its keys."""
        return f"{DOMAINS}/{self.domid}/device/vif/{self.index}"


def await_vifs(dom0: Shell, vifs: Sequence[str], deadline: Deadline) -> None:
    """Return once these vifs (of none: all of them) carry packets both ways; else CommandFailed.

    A frontend has its carrier before its backend is connected, and what the bridge sends to the
    guest until then is lost.
    """
    patience = str(max(1, int(deadline.remaining_s)))
    dom0.run([AWAIT_VIFS, "-t", patience, *vifs], deadline=deadline).require_success()


def render_take_up(deadline: Deadline, *words: str) -> list[str]:
    """What a domU runs to load netfront and take up its vifs: by then it has them or gives up.

    `words` are a module to use in place of the stock one, and its parameters.
    """
    patience = str(max(1, int(WAITING_SHARE * deadline.remaining_s)))
    return [CONNECT_VIFS, "-t", patience, *words]


def reattach_vif(dom0: Shell, domu: str, index: int, deadline: Deadline) -> None:
    """Take a vif of a domU away, with all that its frontend still holds, and attach a new one.

    The only way back for a vif that netback disabled: xenvif_alloc() alone clears that
    (drivers/net/xen-netback/interface.c:511), so a frontend that connects anew does not help.
    """
    for argv in (["xl", "network-detach", domu], [ATTACH_VIFS, domu]):
        dom0.run([*argv, str(index)], deadline=deadline).require_success()


def await_frontend(dom0: Shell, domu: str, vif: Vif, deadline: Deadline) -> None:
    """Return once a domU knows that a backend is connected, and has done what it does then.

    A frontend announces its addresses to the network (netfront_changed(), xen-netfront.c)
    when the backend says so, which is later than packets pass. One thread takes all events of
    xenstore in their order, and wipes out the key of a sysrq when it comes to it
    (drivers/xen/manage.c): this one prints a line of help.
    """
    connected = str(XenbusState.CONNECTED.value).encode()
    key = f"{DOMAINS}/{vif.domid}/control/sysrq"

    def read(path: str) -> bytes:
        answer = dom0.run(["xenstore-read", path], deadline=deadline).require_success()
        return answer.stdout.strip()

    state = f"{vif.backend_path}/state"
    wait_until(lambda: read(state) == connected, f"the backend of {vif} to be connected", deadline)
    dom0.run(["xl", "sysrq", domu, "h"], deadline=deadline).require_success()
    wait_until(lambda: not read(key), f"{domu} to deal with what xenstore told it", deadline)


def read_negotiation(shell: Shell, vif: Vif, deadline: Deadline) -> VifNegotiation:
    """Both ends of one vif by one command in dom0. Raises CommandFailed or MeasurementError."""
    tree = read_xenstore(shell, (vif.backend_path, vif.frontend_path), deadline)
    return parse_negotiation(vif, tree)


def parse_negotiation(vif: Vif, tree: XenstoreTree) -> VifNegotiation:
    """Both ends of one vif in a tree that was read. Raises MeasurementError."""
    return VifNegotiation(
        vif=str(vif),
        backend=_parse_end(tree, vif.backend_path),
        frontend=_parse_end(tree, vif.frontend_path),
    )


def _parse_end(tree: XenstoreTree, path: str) -> VifEnd | None:
    keys = tree.keys_under(path)
    if not keys:
        return None
    state = keys.pop("state", None)
    if state is None:
        raise MeasurementError(f"{path} has no state")
    try:
        return VifEnd(state=XenbusState(int(state)), keys=keys)
    except ValueError as error:
        raise MeasurementError(f"{path}/state is {state!r}") from error
