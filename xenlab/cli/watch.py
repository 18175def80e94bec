"""Watch: a second pytest plugin, by which a run's verdicts and its interruption are seen."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from xenlab.cli.results import Results
from xenlab.pytest_plugin import LabPlugin


@dataclass(slots=True, kw_only=True)
class Watch:
    """Brings every verdict to safety as it comes, and sees interruptions."""

    plugin: LabPlugin
    results: Results
    interruption: BaseException | None = None

    def pytest_runtest_logfinish(self) -> None:
        """A test is over."""
        self.results.note(self.plugin.verdicts, self.plugin.exhibits)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody wants us to end; pytest has ended its session in good order.

        Its own kind says that files could not be collected, which is nobody's wish.
        """
        if not isinstance(excinfo.value, pytest.Session.Interrupted):
            self.interruption = excinfo.value
