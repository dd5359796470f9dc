"""Exit statuses of the command."""

__all__ = ["AGREEMENT", "BAD_INPUT", "DISAGREEMENT", "INTERRUPTED", "UNREAD", "UNWRITTEN"]

AGREEMENT = 0
DISAGREEMENT = 1
BAD_INPUT = 2
#: As of a program that the signal of an interrupt ends.
INTERRUPTED = 130
#: As of a program that the signal of a closed pipe ends.
UNREAD = 141
#: EX_IOERR of sysexits.h.
UNWRITTEN = 74
