"""Later: a mapping whose values are still being made; who asks for one waits for that one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Value = TypeVar("Value")


class Later(Mapping[str, Value]):
    """Looking one up gives its value, or raises what its making raised."""

    def __init__(self, make: Callable[[str], Value], keys: tuple[str, ...]) -> None:
        self._make = make
        self._keys = keys

    def __getitem__(self, key: str) -> Value:
        if key not in self._keys:
            raise KeyError(key)
        return self._make(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def begin(make: Callable[[str], Value], keys: tuple[str, ...]) -> Mapping[str, Value]:
    """Have all values made beside us, one after the other in this order."""
    pool = ThreadPoolExecutor(max_workers=1)
    futures: dict[str, Future[Value]] = {key: pool.submit(make, key) for key in keys}
    pool.shutdown(wait=False)
    return Later(lambda key: futures[key].result(), keys)
