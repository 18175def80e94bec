"""Scripts that set probes in a kernel by its tracefs, and take all of them away again."""

from __future__ import annotations

from xenlab.guest.probes import ENTERED, ENTERED_IBT, GROUP

TRACEFS = "/sys/kernel/tracing"
DEFINITIONS = "kprobe_events"
TAKEN = 3

# Names of tasks are of no use to a histogram, but where they are recorded each probe that comes or
# goes has the kernel patch its scheduler (linux/kernel/trace/trace_events.c,
# __ftrace_event_enable_disable), which every CPU is in: QEMU 7.2 once kept the breakpoint of such a
# patch in its translation of the code, and the kernel died of what was no longer in its memory.
NAMES = "options/record-cmd"
NAMES_WERE = "/run/xenlab-record-cmd"

# A breakpoint that the kernel has made a jump has interrupts on again.
JUMPS = "/proc/sys/debug/kprobes-optimization"
JUMPS_WERE = "/run/xenlab-kprobes-optimization"

# No line costs a fork, which is dearer to an emulated CPU than most probes: what a refusal says
# goes through a file.
WHY = "/run/xenlab-refusal"

# Pairs of a file and a line for it; each is answered by a line: nothing, or why it was refused.
# EILSEQ, which two libraries have different words for, is a place within an instruction. A kernel
# without ftrace of functions has nothing before a function's own code.
INSTALL = f"""
export LC_ALL=C
cd {TRACEFS} || exit 1
[ ! -e events/{GROUP} ] || exit {TAKEN}
# What an observer that was killed noted is what it was before us all.
keep() {{
        # A sysctl gives a shell, which reads byte by byte, its first byte and then an end.
        were=
        read -r were <"$1"
        [ -n "$were" ] && echo "$were" >"$2"
}}
[ -e {NAMES_WERE} ] || keep {NAMES} {NAMES_WERE} || exit 1
echo 0 >{NAMES}
if [ -e {JUMPS} ]; then
        [ -e {JUMPS_WERE} ] || keep {JUMPS} {JUMPS_WERE} || exit 1
        echo 0 >{JUMPS}
fi
place={ENTERED}
[ -e available_filter_functions ] || place=
while [ $# -gt 0 ]; do
        line=$2
        case $line in
        *"{ENTERED} "*) line="${{2%%{ENTERED} *}}$place ${{2#*{ENTERED} }}" ;;
        esac
        {{ echo "$line" >>"$1"; }} 2>{WHY} && refused= || refused=1
        read -r why <{WHY} || why=
        case $why in
        *"multibyte"* | *"byte sequence"*)
                line="${{2%%{ENTERED} *}}{ENTERED_IBT} ${{2#*{ENTERED} }}"
                {{ echo "$line" >>"$1"; }} 2>{WHY} && refused=
                read -r why <{WHY} || why=
                ;;
        esac
        echo "${{refused:+refused: ${{why##*: }}}}"
        shift 2
done
"""
# An event goes when it has no trigger any more. Further pairs: triggers on the kernel's own events.
REMOVE = f"""
cd {TRACEFS} || exit 1
for event in events/{GROUP}/*/; do
        [ -e "$event/trigger" ] || continue
        : >"$event/trigger"
        name=${{event%/}}
        echo "-:{GROUP}/${{name##*/}}" >>{DEFINITIONS}
done
while [ $# -gt 0 ]; do
        echo "!$2" >>"$1"
        shift 2
done
for pair in {NAMES}={NAMES_WERE} {JUMPS}={JUMPS_WERE}; do
        if [ -e "${{pair#*=}}" ]; then
                read -r were <"${{pair#*=}}" && echo "$were" >"${{pair%%=*}}" || exit 1
                set -- "$@" "${{pair#*=}}"
        fi
done
[ $# = 0 ] || rm "$@"
[ ! -e events/{GROUP} ]
"""
