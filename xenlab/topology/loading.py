"""Topology files, checked whole: a `Topology`, or one InputError with every problem."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from xenlab.errors import InputError
from xenlab.topology.document import read_document
from xenlab.topology.host_rules import resolve_host
from xenlab.topology.kernel_words import resolve_paths
from xenlab.topology.library import (
    SHIPPED,
    SUFFIX,
    find_topology,
    name_of_path,
    read_topology_file,
    shown_path,
)
from xenlab.topology.model import Topology
from xenlab.topology.problems import describe_errors
from xenlab.topology.references import check_references
from xenlab.topology.sections import TopologyFile
from xenlab.topology.stream import Problem, Unreadable
from xenlab.topology.translation import translate_file

# A file of garbage has one problem per value; nobody reads more than these.
PROBLEMS_MAX = 100


def load_topology(name_or_path: str) -> Topology:
    """The topology of that name, or in that file. Raises InputError with every problem."""
    return load_topology_file(find_topology(name_or_path))


def load_topology_file(path: Path) -> Topology:
    """The topology in a file. Raises InputError with every problem of it."""
    topology = parse_topology(
        read_topology_file(path), file=shown_path(path), name=name_of_path(path)
    )
    folder = path.parent.absolute()
    return replace(
        resolve_host(topology, folder),
        kernels=tuple(
            replace(kernel, origin=resolve_paths(kernel.origin, folder))
            for kernel in topology.kernels
        ),
    )


def shipped_topologies() -> tuple[Topology, ...]:
    """The topologies that come with xenlab, by name."""
    return tuple(load_topology_file(path) for path in sorted(SHIPPED.glob(f"*{SUFFIX}")))


def parse_topology(raw: bytes, *, file: str, name: str) -> Topology:
    """The topology that `raw` describes; `file` stands in front of each problem."""
    try:
        document = read_document(raw)
    except Unreadable as error:
        raise _input_error([error.problem], file) from error
    problems = [*document.problems, *check_references(document)]
    try:
        checked = TopologyFile.model_validate(document.value)
    except ValidationError as error:
        raise _input_error([*problems, *describe_errors(document, error)], file) from error
    if problems:
        raise _input_error(problems, file)
    return translate_file(checked, name)


def render_schema() -> str:
    """JSON Schema of a topology file, for editors, from the models that check it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TopologyFile.model_json_schema(),
        "title": "xenlab topology",
    }
    return json.dumps(schema, indent=2)


def _input_error(problems: list[Problem], file: str) -> InputError:
    ordered = sorted(set(problems), key=lambda problem: (problem.position, problem.message))
    lines = [_line(problem, file) for problem in ordered[:PROBLEMS_MAX]]
    if len(ordered) > PROBLEMS_MAX:
        lines.append(f"{file}: and {len(ordered) - PROBLEMS_MAX} more problems")
    return InputError(*lines)


def _line(problem: Problem, file: str) -> str:
    where = problem.position
    return f"{file}:{where.line}:{where.column}: {problem.message}"
