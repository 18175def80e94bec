"""The HTML report: one file that opens from the disk, needs no network, and is never huge."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from xenlab.report.page import build_page
from xenlab.report.stored_run import StoredRun
from xenlab.report.wording import clean

if TYPE_CHECKING:
    from jinja2 import Environment

TEXT_CHARS = 20_000
PAGE_MAX_BYTES = 2_000_000
# Less of everything, until it fits; the last is a page of a few rows and pictures.
SHARES = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01)


def render_html(stored: StoredRun, folder: str) -> str:
    """The page, of at most PAGE_MAX_BYTES; `folder` is where the whole run is."""
    environment = _environment()
    style, script = (_read(environment, name) for name in ("report.css", "report.js"))
    template = environment.get_template("report.html")
    text = ""
    for share in SHARES:
        text = template.render(
            page=build_page(stored, folder, share),
            style=style,
            script=script,
            # A guest's script has no leave to run, wherever it should come to stand.
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
        if len(text.encode()) <= PAGE_MAX_BYTES:
            break
    return text


@cache
def _environment() -> Environment:
    # Late, for it takes longer to import than most commands take to run.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("xenlab.report"), autoescape=True, undefined=StrictUndefined,
        finalize=_finalize, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    # Pictures, styles and the script are our own, and their texts are escaped already.
    environment.filters["drawn"] = _mark_safe
    return environment


def _finalize(value: object) -> object:
    """Every text on its way into the page loses what could take hold of a terminal or a reader."""
    if hasattr(value, "__html__") or not isinstance(value, str):
        return value
    return clean(value, TEXT_CHARS)


def _mark_safe(text: str) -> object:
    from markupsafe import Markup  # noqa: PLC0415

    return Markup(text)  # noqa: S704 (see `drawn`)


def _read(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
