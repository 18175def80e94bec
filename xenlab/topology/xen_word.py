"""Xen in one word, as the command line takes it: the Debian suite that it comes from."""

from __future__ import annotations

from dataclasses import replace

from xenlab.errors import InputError
from xenlab.topology import defaults, fields
from xenlab.topology.model import Topology


def choose_xen(topology: Topology, suite: str | None) -> Topology:
    """The topology with Xen of a suite, the newest there; as it is without a word.

    Its words for Xen's command line stay, a version is one of the suite that it was written for.
    Raises InputError for what cannot be a suite.
    """
    if suite is None:
        return topology
    try:
        fields.check_pattern(fields.SUITE_PATTERN, "a Debian suite", defaults.SUITE, suite)
    except ValueError as error:
        raise InputError(f"--xen: {error}") from error
    if suite == topology.xen.suite:
        return topology
    return replace(topology, xen=replace(topology.xen, suite=suite, version=None))
