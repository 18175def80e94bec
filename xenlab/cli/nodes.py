"""`xenlab exec`, `ssh`, `console` and `logs`: the nodes of a lab."""

from __future__ import annotations

import shlex
import sys

import click

from xenlab.cli import options
from xenlab.cli.output import spell

READER_GONE = 141  # as a shell sees a program that SIGPIPE ended

NODE_COMMAND = {"ignore_unknown_options": True, "allow_interspersed_args": False}


class _NodeFirst(click.Command):
    """A command for a node; who forgets the node is told where it goes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; of `-- COMMAND` click would take the command for the node."""
        words = tuple(args)  # click empties the list
        at = words.index("--") if "--" in words else len(words)
        if words[at + 1 :] and self._names_no_node(ctx, words[:at]):
            line = shlex.join(("xenlab", "exec", *words[:at], "dom0", *words[at:]))
            raise click.UsageError(f"name a node before the command: {spell(line)}", ctx)
        return super().parse_args(ctx, args)

    def _names_no_node(self, ctx: click.Context, words: tuple[str, ...]) -> bool:
        given, _rest, _order = self.make_parser(ctx).parse_args(list(words))
        return not isinstance(given.get("node"), str)  # else click says that it is not set


@click.command(
    name="exec", cls=_NodeFirst, short_help="Run a command in a node.",
    context_settings=NODE_COMMAND,
)  # fmt: skip
@options.lab
@options.node
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(lab: str | None, node: str, command: tuple[str, ...]) -> int:
    """Run a command in a node; its streams are ours, and its exit code is ours.

    NODE is `dom0` or a domU; `LAB/NODE` where there are several labs. The command gets its words as
    they are; for a pipeline there: xenlab exec NODE -- sh -c 'a | b'.
    """
    from xenlab.lab import CONTROL_BUDGET_S, open_lab
    from xenlab.registry.selection import split_node
    from xenlab.transport.streaming import Streams
    from xenlab.waiting import Deadline

    node, lab = split_node(node, lab)
    with open_lab(lab) as opened:
        opened.require_node(node)
        shell = opened.shell(node)
        try:
            return shell.stream(
                _without_dashes(command), Streams(), deadline=Deadline.after(CONTROL_BUDGET_S)
            )
        except BrokenPipeError:
            return READER_GONE


@click.command(short_help="Open an ssh session in a node.", context_settings=NODE_COMMAND)
@options.lab
@options.node
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(lab: str | None, node: str, command: tuple[str, ...]) -> None:
    """Open an ssh session in a node, or run a command line there.

    It needs no working vif: dom0 is reached by a NIC of its own, a domU by a vchan behind dom0, the
    outside peer of a lab with an uplink by a NIC of its own too.
    """
    import os

    from xenlab.lab import open_lab
    from xenlab.registry.selection import split_node
    from xenlab.transport.process import which
    from xenlab.transport.ssh import render_vchan_argv
    from xenlab.transport.ssh_program import render_ssh_argv

    program = which("ssh")
    node, lab = split_node(node, lab)
    with open_lab(lab) as opened:
        opened.require_node(node)
        known_hosts = opened.keys.write_known_hosts(opened.plan.node_names)
        direct = node == "dom0" or opened.plan.is_peer(node)
        proxy = None if direct else shlex.join(render_vchan_argv(opened.domid(node)))
        port = opened.ssh_port(node if direct else "dom0")
        key = opened.keys.private_key
    argv = render_ssh_argv(node, port, key, known_hosts, proxy)
    words = _without_dashes(command)
    os.execv(program, [*argv, "--", *words] if words else argv)  # noqa: S606 (no shell is meant)


@click.command(short_help="Follow a node's console from power-on.")
@options.lab
@options.node
def console(lab: str | None, node: str) -> int:
    """Show a node's console from power-on and follow it; read-only. `dom0` has Xen's lines too."""
    return _show(node, lab, follow=True)


@click.command(short_help="Print a node's whole console log.")
@options.lab
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows.")
@options.log
def logs(lab: str | None, follow: bool, node: str) -> int:
    """Print a node's whole console log, or what `libvirtd`, its `sandbox` or `qemu` said.

    The logs of the last `up` that failed are printed where no lab of that name is there.
    """
    return _show(node, lab, follow=follow)


def _show(node: str, lab: str | None, *, follow: bool) -> int:
    from xenlab.cli.reading import find_log, print_log
    from xenlab.registry.selection import split_node

    node, lab = split_node(node, lab)
    log = find_log(node, lab)
    sys.stdout.flush()
    try:
        print_log(log, follow=follow)
    except BrokenPipeError:
        return READER_GONE
    return 0


def _without_dashes(command: tuple[str, ...]) -> list[str]:
    """The command; `--` between node and command belongs to neither."""
    return list(command[1:] if command[:1] == ("--",) else command)
