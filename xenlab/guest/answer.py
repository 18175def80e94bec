"""Answer: the JSON object that a tool printed, read with types; what is absent is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.errors import MeasurementError

# A guest is not trusted: no answer of ours comes near this.
ANSWER_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One JSON object; `what` says whose it is. Every reader raises MeasurementError."""

    what: str
    fields: dict[str, object]

    @classmethod
    def parse(cls, what: str, text: bytes) -> Answer:
        """The object that `text` is."""
        if len(text) > ANSWER_MAX_BYTES:
            raise MeasurementError(f"{what}: an answer of {len(text)} bytes")
        try:
            return cls._of(what, json.loads(text))
        except (ValueError, RecursionError) as error:
            raise MeasurementError(f"{what}: not JSON: {error}") from error

    @classmethod
    def _of(cls, what: str, value: object) -> Answer:
        if not isinstance(value, dict):
            raise MeasurementError(f"{what}: {type(value).__name__} instead of an object")
        return cls(what=what, fields=value)

    def integer(self, key: str) -> int:
        """A whole number."""
        value = self._field(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise MeasurementError(f"{self.what}: {key} is not a whole number")
        return value

    def number(self, key: str) -> float:
        """A number, whole or not."""
        value = self._field(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise MeasurementError(f"{self.what}: {key} is not a number")
        return value

    def text(self, key: str) -> str:
        """A string."""
        value = self._field(key)
        if not isinstance(value, str):
            raise MeasurementError(f"{self.what}: {key} is not a string")
        return value

    def nested(self, key: str) -> Answer:
        """An object within."""
        return self._of(f"{self.what}: {key}", self._field(key))

    def nested_list(self, key: str) -> tuple[Answer, ...]:
        """A list of objects."""
        return tuple(self._of(f"{self.what}: {key}", value) for value in self._list(key))

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        values = self._list(key)
        numbers = tuple(value for value in values if isinstance(value, int))
        if len(numbers) != len(values):
            raise MeasurementError(f"{self.what}: {key} holds more than whole numbers")
        return numbers

    def all_integers(self) -> dict[str, int]:
        """This object as counters by name."""
        return {key: self.integer(key) for key in self}

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def _field(self, key: str) -> object:
        if key not in self.fields:
            raise MeasurementError(f"{self.what}: {key} is absent")
        return self.fields[key]

    def _list(self, key: str) -> list[object]:
        value = self._field(key)
        if not isinstance(value, list):
            raise MeasurementError(f"{self.what}: {key} is not a list")
        return value
