"""Undoing: what is put back behind a context, without a word over what went wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xenlab.errors import XenlabError


@contextmanager
def undone(undo: Callable[[], object]) -> Iterator[None]:
    """Undo something at the end.

    An error in the context is the one that is raised: that it could not be undone then, for a
    driver that hangs keeps what it holds, is a note to it. Else the error of `undo` is raised.
    """
    try:
        yield
    except BaseException as error:
        try:
            undo()
        except XenlabError as second:
            error.add_note(str(second))
        raise
    undo()
