"""The command line: which command is where, and how every one of them ends."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from xenlab import __version__
from xenlab.errors import XenlabError

INTERRUPTED = 130
READER_GONE = 141  # as a shell sees a program that SIGPIPE ended

# Command -> module and attribute: a command's module is imported when it is called, not before.
COMMANDS = {
    "up": "life:up",
    "down": "life:down",
    "status": "life:status",
    "test": "suites:test",
    "try": "attempts:try_",
    "compare": "comparing:compare",
    "sweep": "sweeps:sweep",
    "mutants": "mutants:mutants",
    "report": "reports:report",
    "exec": "nodes:exec_",
    "ssh": "nodes:ssh",
    "console": "nodes:console",
    "logs": "nodes:logs",
    "topologies": "topology:topologies",
    "validate": "topology:validate",
    "slots": "slots:slots",
    "images": "images:images",
    "kernel": "kernels:kernel",
    "gc": "house:gc",
    "doctor": "house:doctor",
    "completion": "completion:completion",
}
# What other tools call it, and no likeness of letters leads to.
CALLED_HERE = {
    "help": ("--help",),
    "list": ("status", "topologies"),
    "ls": ("status", "topologies"),
    "run": ("test",),
    "start": ("up",),
    "stop": ("down",),
    "version": ("--version",),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Every command, in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        from xenlab.cli.environment import name_variables

        command: click.Command = getattr(import_module(f"xenlab.cli.{module}"), attribute)
        name_variables(command, cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command; an option of a command is told its place."""
        words = tuple(args)  # click empties the list
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            advice = self._place_option(ctx, error.option_name, words)
            if not advice:
                raise
            raise click.UsageError(advice, ctx) from error

    def _place_option(self, ctx: click.Context, option: str, words: Sequence[str]) -> str:
        """Where an option goes that the first command among the words has; else nothing."""
        at = next((at for at, word in enumerate(words) if word in COMMANDS), None)
        command = None if at is None else self.get_command(ctx, words[at])
        if at is None or command is None or not any(option in each.opts for each in command.params):
            return ""
        from xenlab.cli.output import spell

        line = shlex.join(("xenlab", words[at], *words[:at], *words[at + 1 :]))
        return f"{option} goes behind the command: {spell(line)}"

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; a wrong word gets the one that was probably meant."""
        wrong = args and args[0] not in COMMANDS and not args[0].startswith("-")
        if wrong and not ctx.resilient_parsing:  # while a shell completes, nothing is wrong yet
            from xenlab.topology.wording import did_you_mean, quote

            meant = " or ".join(map(quote, CALLED_HERE.get(args[0], ())))
            hint = f"; did you mean {meant}?" if meant else did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f"no command {quote(args[0])}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's signature)
        """Run the command with the settings of the project and the user beneath its options."""
        from xenlab.cli.environment import find_unknown_variables
        from xenlab.cli.settings import read_settings

        for told in find_unknown_variables(self, ctx):
            click.echo(f"warning: {told}", err=True)
        ctx.default_map = read_settings(self, ctx)
        return super().invoke(ctx)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def xenlab() -> None:
    """A Xen network lab in one QEMU, and verdicts on the packets in it.

    Start with `xenlab up`; `xenlab COMMAND --help` tells more. Exit codes: 0 passed, 1 a test
    failed or a kernel crashed, 2 bad usage or file, 3 a bug in xenlab, 4 this host cannot,
    5 nothing selected, 6 the lab broke, 7 inconclusive, 130 interrupted.
    """


def main() -> None:
    """The program: run the command of `sys.argv` and exit with its code."""
    from xenlab.cli.signals import orderly_signals

    with orderly_signals():
        status = run(sys.argv[1:])
    sys.exit(status)


def run(words: list[str]) -> int:
    """Run one command; its exit code. Whatever goes wrong is printed, never as a bare traceback."""
    try:
        status = xenlab.main(words, prog_name="xenlab", standalone_mode=False)
    except click.ClickException as error:
        return _report_usage(error)
    except (KeyboardInterrupt, click.Abort) as interruption:
        return _report_interruption(interruption)
    except SystemExit as end:
        # Click's own ways out: a shell has its completions, or nobody reads our output any more.
        return READER_GONE if end.code else 0
    except Exception as error:  # noqa: BLE001 (the last resort: all are told, and end us)
        failed = _report_error(error, words)
        behind = _find_interruption(error)
        return _report_interruption(behind) if behind else failed
    return status if isinstance(status, int) else 0


def _report_usage(error: click.ClickException) -> int:
    """Wrong words; what was not typed is told with where it is from."""
    from xenlab.cli.sources import find_source

    told = find_source(error)
    if told is not None:
        return _report_failure(told)
    error.show()
    return error.exit_code


def _report_error(error: Exception, words: list[str]) -> int:
    match error:
        case XenlabError():
            return _report_failure(error)
        case OSError():
            return _report_system_error(error, words)
        case _:
            return _report_crash(error, words)


def _report_failure(error: XenlabError) -> int:
    from xenlab.cli.output import echo_failure

    echo_failure(error)
    return error.exit_code


def _find_interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """What was on its way out when something else went wrong with that."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _report_interruption(interruption: BaseException) -> int:
    from xenlab.cli.signals import Interrupted

    cause = interruption.__cause__ or interruption
    click.echo("xenlab: interrupted", err=True)
    return cause.exit_code if isinstance(cause, Interrupted) else INTERRUPTED


def _report_system_error(error: OSError, words: list[str]) -> int:
    """A full, read-only or forbidden disk is the host's trouble; anything else is a bug of ours."""
    from xenlab.cache.disk import disk_errors
    from xenlab.registry.places import state_dir

    try:
        with disk_errors(state_dir()):
            raise error
    except XenlabError as named:
        return _report_failure(named)
    except OSError:
        return _report_crash(error, words)


def _report_crash(error: Exception, words: list[str]) -> int:
    from xenlab.registry.crash import write_crash

    what = f"{type(error).__name__}: {error}".splitlines()[0]
    try:
        where = f"the traceback is in {write_crash(error, words)}"
    except OSError as refusal:
        where = f"its traceback could not be kept: {refusal}"
    click.echo(f"xenlab: a bug in xenlab: {what}\n  {where}", err=True)
    return XenlabError.exit_code
