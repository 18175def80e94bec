"""Together: something done on several nodes at once, for each of them is slow by itself."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from xenlab.errors import (
    ConnectionLost,
    DriverFailed,
    KernelFault,
    LabError,
    WaitTimedOut,
    XenlabError,
)

T = TypeVar("T")
# An interruption that comes just before a thread begins to wait is noticed when that wait ends.
NOTICED_S = 1.0
# A bug of ours says most.
SAYS_LESS = (KernelFault, DriverFailed, WaitTimedOut, ConnectionLost, LabError, XenlabError)


def on_all(action: Callable[[str], T], nodes: Iterable[str]) -> dict[str, T]:
    """What an action comes to on each node, in their order.

    Raises the failure that says most: a kernel that crashed is why others do not answer, and a lab
    that broke why something could not be measured. Several errors of the lab are told as one, of
    the first one's kind; that is a silence where there is any, for a hang may be behind it.
    """
    names = list(nodes)
    if len(names) == 1:
        return {names[0]: action(names[0])}
    pool = ThreadPoolExecutor(max_workers=max(1, len(names)))
    try:
        futures = {node: pool.submit(action, node) for node in names}
        while wait(futures.values(), timeout=NOTICED_S).not_done:
            pass
        ended = (future.exception() for future in futures.values())
        failures = sorted((error for error in ended if error is not None), key=_rank)
    finally:
        # Who interrupts us must not wait for the nodes; every command there has its deadline.
        pool.shutdown(wait=False, cancel_futures=True)
    if failures:
        raise _merge(failures)
    return {node: future.result() for node, future in futures.items()}


@contextmanager
def all_open(contexts: Mapping[str, AbstractContextManager[T]]) -> Iterator[dict[str, T]]:
    """A context on each node, entered and left on all at once; raises as `on_all` does.

    Where one cannot be entered, the others are left again.
    """
    doors = {node: _Door(context=context) for node, context in contexts.items()}
    try:
        yield on_all(lambda node: doors[node].enter(), doors)
    except BaseException as error:
        on_all(partial(_leave_by, doors, error), doors)
        raise
    on_all(lambda node: doors[node].leave(None), doors)


@dataclass(slots=True, kw_only=True)
class _Door(Generic[T]):
    """A context that is left by another thread than entered it, in the middle of that perhaps."""

    context: AbstractContextManager[T]
    _stack: ExitStack = field(default_factory=ExitStack)
    _left: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self) -> T:
        with self._lock:
            if self._left:
                raise LabError("interrupted")
            return self._stack.enter_context(self.context)

    def leave(self, error: BaseException | None) -> None:
        """Undo what was entered, by an error raised elsewhere; raises what else goes wrong."""
        with self._lock:
            self._left = True
            if error is None:
                self._stack.close()
                return
            try:
                self._stack.__exit__(type(error), error, error.__traceback__)
            except BaseException as second:
                if second is not error:
                    raise


def _leave_by(doors: Mapping[str, _Door[T]], error: BaseException, node: str) -> None:
    """Leave; that a node could not be left is a note to the error that is raised."""
    try:
        doors[node].leave(error)
    except XenlabError as second:
        error.add_note(str(second))


def _merge(failures: Sequence[BaseException]) -> BaseException:
    """The first one; an error of the lab with the texts of all such."""
    if not isinstance(failures[0], LabError):
        return failures[0]
    first, *others = broken = [each for each in failures if isinstance(each, LabError)]
    if not others:
        return first
    told = copy.copy(first)
    told.args = ("; ".join(str(failure) for failure in broken),)
    told.try_next = next((each.try_next for each in broken if each.try_next), "")
    return told


def _rank(failure: BaseException) -> int:
    matching = (place for place, kind in enumerate(SAYS_LESS) if isinstance(failure, kind))
    return next(matching, -1)
