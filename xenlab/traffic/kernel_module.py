"""A kernel module of ours in a node: built for its kernel, loaded, and taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from xenlab.errors import CommandFailed, DriverFailed
from xenlab.kernel.shelf import find_module
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.kernels import kernel_of
from xenlab.registry.places import cache_dir
from xenlab.traffic.handle import LabHandle
from xenlab.transport.shell import Shell
from xenlab.undoing import undone
from xenlab.waiting import Deadline

BUILD_S = 600.0
LOAD_S = 30.0
LOAD = 'cat > "$1" && exec insmod "$@"'
USERS = 'cat "/sys/module/$1/refcnt" 2>/dev/null || true'


def build_modules(lab: LabHandle, name: str, nodes: Iterable[str]) -> dict[str, bytes]:
    """A module's file by node, each for the kernel of that node."""
    deadline = Deadline.after(BUILD_S)
    with open_workshop(
        cache_dir(), report=lambda _line: None, offline=False, deadline=deadline
    ) as workshop:
        built = {
            node: workshop.provide_module(find_module(name), kernel_of(lab.plan, node))
            for node in dict.fromkeys(nodes)
        }
        return {node: file.path.read_bytes() for node, file in built.items()}


@contextmanager
def module_loaded(
    lab: LabHandle, node: str, name: str, module: bytes, parameters: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A module's file in a node's kernel, as long as the context lasts.

    Raises CommandFailed where the kernel refuses it, and DriverFailed where it cannot be had or
    taken out because packets that it sent have not been given back by their driver.
    """
    shell, deadline = lab.shell(node), lab.budget(LOAD_S)
    file = f"/run/{name}.ko"
    words = [f"{parameter}={value}" for parameter, value in (parameters or {}).items()]
    with _blaming_holders(shell, name, lab.budget(LOAD_S)):
        shell.run_script(LOAD, file, *words, deadline=deadline, stdin=module).require_success()

    def take_out() -> None:
        with _blaming_holders(shell, name, lab.budget(LOAD_S)):
            shell.run(["rmmod", name], deadline=lab.budget(LOAD_S)).require_success()

    with undone(take_out):
        yield


@contextmanager
def _blaming_holders(shell: Shell, name: str, deadline: Deadline) -> Iterator[None]:
    """A module that is in use is so by what it sent: whoever has that is to blame."""
    try:
        yield
    except CommandFailed as error:
        users = shell.run_script(USERS, name, deadline=deadline).require_success().text.strip()
        if not users or users == "0":
            raise
        what = f"{shell.where}: {name} is in use: what it sent was not given back"
        raise DriverFailed(what, phase="") from error
