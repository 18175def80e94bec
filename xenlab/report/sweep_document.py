"""A sweep for a program."""

from __future__ import annotations

from xenlab.verdict.crossing import Crossing, Sweep


def encode_sweep(sweep: Sweep) -> dict[str, object]:
    """The axes, the cells in the order in which they were run, and what they come to together."""
    return {
        "outcome": sweep.outcome,
        "exit_code": sweep.outcome.exit_code,
        "xens": list(sweep.xens),
        "dom0_kernels": list(sweep.dom0_kernels),
        "domu_kernels": list(sweep.domu_kernels),
        "combinations": sweep.all_versions,
        "cells": [_encode(crossing) for crossing in sweep.crossings],
    }


def _encode(crossing: Crossing) -> dict[str, object]:
    versions = crossing.versions
    return {
        "xen": versions.xen,
        "dom0_kernel": versions.dom0_kernel,
        "domu_kernel": versions.domu_kernel,
        "outcome": crossing.outcome,
        "node": crossing.node,
        "cannot": crossing.cannot,
        "reasons": list(crossing.reasons),
        "elapsed_s": round(crossing.elapsed_s, 3),
        "xen_version": crossing.xen_version,
        "kernels": crossing.kernels,
    }
