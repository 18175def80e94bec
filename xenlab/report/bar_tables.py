"""Which exhibits are shown as tables with bars, and by what."""

from __future__ import annotations

from xenlab.measure.bounces import BounceTable
from xenlab.measure.joining import JoinTable
from xenlab.measure.strategy import StrategyTable
from xenlab.report.bar_table import BarTable
from xenlab.report.bounce_view import view_bounces
from xenlab.report.exhibits import Exhibit
from xenlab.report.join_view import view_joining
from xenlab.report.strategy_view import view_strategies


def view_bar_table(exhibit: Exhibit) -> BarTable | None:
    """The table; None for what is shown otherwise."""
    match exhibit:
        case StrategyTable():
            return view_strategies(exhibit)
        case BounceTable():
            return view_bounces(exhibit)
        case JoinTable():
            return view_joining(exhibit)
        case _:
            return None
