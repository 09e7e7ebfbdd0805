"""Ctrl-C and SIGTERM: a command ends at once, leaves no half file, and prints nothing."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class SignalError(KeyboardInterrupt):
    """A signal came.

    Not `KeyboardInterrupt` itself: if that passes through an `exec`, like the one by which `dataclasses` make a class,
    Python ends the process by SIGINT, whatever exit status is asked for.
    """


class Interruption:
    """Which signal came. Has the `is_set` of a `threading.Event`, so that it can be the `cancel=` of a call.

    The exception that the handler raises is not enough: Python prints it and goes on where it comes in the middle of a
    finalizer or of a callback from C.
    """

    number = 0

    def is_set(self) -> bool:
        """Whether the program is to end."""
        return self.number != 0

    @property
    def exit_status(self) -> int:
        """That of a program which the signal ended, as a shell reports it."""
        return 128 + (self.number or signal.SIGINT)


interruption = Interruption()


def handle_signals() -> None:
    """Let SIGINT and SIGTERM, where they are not ignored, interrupt the main thread, which must be the caller's."""
    interruption.number = 0
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _report_unraisable


def _interrupt(number: int, _: FrameType | None) -> None:
    interruption.number = number
    raise SignalError


def _report_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
