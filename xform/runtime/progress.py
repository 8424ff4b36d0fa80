"""Progress of compiled loops: the bar that `progress=` shows on standard error."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Sequence

_Report = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_int32, ctypes.c_int64)

BEGIN, GOING, END = 0, 1, 2
_WIDTH = 30
_BETWEEN_S = 0.1


class Progress:
    """The loops of one program that report how far they are.

    Args:
        loops: for each the label and the number of iterations, -1 if it is not known.
    """

    def __init__(self, loops: Sequence[tuple[str, int]]) -> None:
        self.loops = loops
        self.begun = [0.0] * len(loops)
        self.shown = [0.0] * len(loops)
        # A callback refers to what it calls: without loops there is none, and no cycle.
        self.callback = _Report(self.report) if loops else None

    def symbols(self) -> dict[str, int]:
        """The address that compiled code refers to."""
        if not self.loops:
            return {}
        return {"report_progress": ctypes.cast(self.callback, ctypes.c_void_p).value or 0}

    def report(self, loop: int, state: int, count: int) -> None:
        """Shows the bar of a loop, but not more often than people can see."""
        now = time.monotonic()
        if state == BEGIN:
            self.begun[loop] = now
        elif state == GOING and now - self.shown[loop] < _BETWEEN_S:
            return
        self.shown[loop] = now
        label, total = self.loops[loop]
        text = line(label, count, total, now - self.begun[loop])
        sys.stderr.write("\r" + text + ("\n" if state == END else ""))
        sys.stderr.flush()


def line(label: str, count: int, total: int, seconds: float) -> str:
    """The text of a bar.

    Args:
        label: what is going on.
        count: iterations done.
        total: iterations in all, -1 if unknown.
        seconds: since the beginning.

    >>> line("fit", 25, 100, 5.0)
    'fit [#######                       ]  25% 25/100, 5/s, 15 s left'
    >>> line("solve", 40, -1, 2.0)
    'solve 40, 20/s'
    """
    rate = count / seconds if seconds > 0 else 0.0
    speed = f", {rate:.3g}/s" if rate else ""
    if total < 0:
        return f"{label} {count}{speed}"
    share = count / total if total else 1.0
    bar = ("#" * int(share * _WIDTH)).ljust(_WIDTH)
    left = f", {(total - count) / rate:.0f} s left" if rate and count < total else ""
    return f"{label} [{bar}] {share:4.0%} {count}/{total}{speed}{left}"
