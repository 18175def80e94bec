"""xenlab: a Xen network lab in one QEMU, and verdicts with numbers."""

__version__ = "0.1.0"
