"""`xenlab test` at work: labs, pytest inside each of them, and the verdicts of all."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import pytest

import xenlab.tests
from xenlab.cli.output import render_document, write_text
from xenlab.errors import InputError, LabError
from xenlab.lab import Lab, attach_lab
from xenlab.life.artifacts import keep_artifacts
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.removal import remove_whole_lab, sweep
from xenlab.life.summary import find_summary, read_summary
from xenlab.plan.codec import encode
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.registry.lock import hold_lab
from xenlab.registry.places import state_dir
from xenlab.registry.record import LabRecord, read_record
from xenlab.report.document import encode_verdicts
from xenlab.report.failure import render_failure
from xenlab.report.junit import render_junit
from xenlab.report.progress import open_progress
from xenlab.report.summary import LabSummary
from xenlab.report.terminal import print_verdicts
from xenlab.topology.wording import did_you_mean, list_names, quote
from xenlab.traffic.ladder import Extent
from xenlab.traffic.plant import PlantKind
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

SUITES = Path(xenlab.tests.__file__).parent
INTERRUPTED = 130
BUG = 3
