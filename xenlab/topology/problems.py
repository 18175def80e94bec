"""What pydantic finds in a document, as problems that say where and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from xenlab.topology import sections
from xenlab.topology.document import Document, Path
from xenlab.topology.stream import Problem
from xenlab.topology.wording import did_you_mean, list_names, quote

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KEY_OF_MAPPING = "[key]"
SECTIONS: Mapping[Path, type[sections.Section]] = {
    (): sections.TopologyFile,
    ("machine",): sections.MachineSection,
    ("machine", "*"): sections.NicSection,  # the only section in it
    ("xen",): sections.XenSection,
    ("kernels", "*"): sections.KernelSection,
    ("dom0",): sections.Dom0Section,
    ("domus", "*"): sections.DomUSection,
    ("domus", "*", "vifs", "*"): sections.VifSection,
    ("networks", "*"): sections.NetworkSection,
}
EXPECTATIONS = {
    "greater_than_equal": "{shown} is too little; at least {ge}",
    "less_than_equal": "{shown} is too much; at most {le}",
    "int_type": "{shown} is not a whole number",
    "bool_type": "{shown} is neither `true` nor `false`",
    "string_type": "{kind} stands where text belongs",
    "model_type": "{kind} stands where a mapping (`key: value`) belongs",
    "dict_type": "{kind} stands where a mapping (`key: value`) belongs",
    "list_type": "{kind} stands where a list (`- ...`) belongs",
    "too_short": "at least {min_length} needed",
    "too_long": "{length} are too many; at most {max_length}",
}


def describe_errors(document: Document, error: ValidationError) -> Iterator[Problem]:
    """One problem for each error."""
    for details in error.errors(include_url=False):
        path: Path = details["loc"]
        of_key = details["type"] == "extra_forbidden"
        if path and path[-1] == KEY_OF_MAPPING:
            path, of_key = path[:-1], True
        where = document.position_of_key(path) if of_key else document.position_of(path)
        prefix = "" if of_key else _field(path)
        message = prefix + _message(document, path, details)
        yield Problem(position=where, message=message)


def _message(document: Document, path: Path, details: ErrorDetails) -> str:
    kind, found = details["type"], details["input"]
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "missing":
        return "missing; the shortest file is `domus: {alice: {}}`"
    shown = quote(None if found is None else document.sources.get(path, found))
    return _expectation(kind, shown, details)


def _expectation(kind: str, shown: str, details: ErrorDetails) -> str:
    """What stands there against what should, for the kinds of error that sections.py can make."""
    found, limits = details["input"], details.get("ctx", {})
    if kind == "enum":
        choices = re.findall("'([^']*)'", limits["expected"])
        return f"{shown} is not one of {list_names(choices)}{did_you_mean(str(found), choices)}"
    if kind == "int_type" and isinstance(found, str) and found.isdecimal():
        return f"{shown} is text; write it without quotes"
    if kind == "string_type" and isinstance(found, bool | int | float):
        return f'{shown} is not text; put it in quotes: "{shown[1:-1]}"'
    template = EXPECTATIONS.get(kind, "{shown}: {msg}")
    words = {"shown": shown, "kind": _kind_of(found), "msg": details["msg"], **limits}
    return template.format(length=len(found) if isinstance(found, dict | list) else 0, **words)


def _kind_of(value: object) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return quote(value)


def _field(path: Path) -> str:
    """The name of the field as a prefix, for a reader who sees only the message."""
    names = [part for part in path if isinstance(part, str)]
    return f"{quote(names[-1])}: " if names else ""


def _unknown_key(path: Path) -> str:
    key = str(path[-1])
    section = section_at(path[:-1])
    known = list(section.model_fields) if section else []
    hint = did_you_mean(key, known) or f"; known here: {list_names(known)}"
    return f"unknown key {quote(key)}{hint}"


def section_at(path: Path) -> type[sections.Section] | None:
    """The section whose keys stand at `path`; None where the keys are names."""
    # Field names and the user's own names (or list indices) take turns on every path.
    return SECTIONS.get(tuple("*" if place % 2 else part for place, part in enumerate(path)))
