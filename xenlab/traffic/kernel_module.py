"""A kernel module of ours in a node: built for its kernel, loaded, and taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from xenlab.kernel.shelf import find_module
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.kernels import kernel_of
from xenlab.registry.places import cache_dir
from xenlab.traffic.handle import LabHandle
from xenlab.undoing import undone
from xenlab.waiting import Deadline

BUILD_S = 600.0
LOAD_S = 30.0


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

    Raises CommandFailed where the kernel refuses it, or does not let go of it any more.
    """
    shell, deadline = lab.shell(node), lab.budget(LOAD_S)
    file = f"/run/{name}.ko"
    shell.write_file(file, module, deadline=deadline)
    words = (f"{parameter}={value}" for parameter, value in (parameters or {}).items())
    shell.run(["insmod", file, *words], deadline=deadline).require_success()

    def take_out() -> None:
        shell.run(["rmmod", name], deadline=lab.budget(LOAD_S)).require_success()

    with undone(take_out):
        yield
