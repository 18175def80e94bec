"""xenlab: a Xen network lab in one QEMU, and verdicts with numbers."""
