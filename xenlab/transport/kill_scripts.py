"""Scripts that end or signal processes of a node, by their numbers there."""

from __future__ import annotations

# A process with all below it, parents first, so that none can start another meanwhile.
KILL = """\
tree() {
    kill -STOP "$1"
    read -r children <"/proc/$1/task/$1/children"
    for child in $children; do tree "$child"; done
    kill -KILL "$1"
}
tree "$1"
"""
SIGNAL = 'kill -"$1" "$2"'
