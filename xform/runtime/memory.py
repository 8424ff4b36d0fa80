"""What memory there is, what holds it, and the error of a request that is too large.

Linux grants memory that it does not have, and ends the process that uses it. Requests of 256 MiB
and more are therefore compared with what is free before they are made.
"""

from __future__ import annotations

import gc
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from xform.core.avals import ShapedArray
from xform.core.trace import BASE
from xform.errors import OutOfMemoryError

__all__ = ["LARGE_BYTES", "available_bytes", "live_arrays", "refusal", "require", "size_text"]

LARGE_BYTES = 256 << 20
"""Requests from this size on are compared with the free memory; `pool.c` has the same number."""

_SHOWN = 4  # kinds of arrays in an error
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_CGROUPS = Path("/sys/fs/cgroup")


def size_text(nbytes: int) -> str:
    """A size as people read it.

    >>> size_text(1000), size_text(1536), size_text(1 << 30)
    ('1000 bytes', '1.5 KiB', '1.0 GiB')
    """
    size, unit = float(nbytes), 0
    while size >= 1024 and unit + 1 < len(_UNITS):
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{nbytes} bytes"


def _numbers(path: Path) -> dict[str, int]:
    """The numbers of a file of the system with a name and a number a line; none without it."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = [line.replace(":", " ").split() for line in lines]
    return {p[0]: int(p[1]) for p in pairs if len(p) >= 2 and p[1].isdecimal()}


def _cgroup_bytes() -> int | None:
    """What the control group of this process may still take; None where there is no limit."""
    try:
        limit = (_CGROUPS / "memory.max").read_text().strip()
        used = int((_CGROUPS / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    if not limit.isdecimal():
        return None
    # Pages of files that nobody uses are given up before anything is refused.
    return int(limit) - used + _numbers(_CGROUPS / "memory.stat").get("inactive_file", 0)


def available_bytes() -> int | None:
    """The memory that this process may still take without harm.

    Returns:
        Bytes, of the machine or of the container, whichever has less; None where the system does
        not say.

    >>> found = available_bytes()
    >>> found is None or found > 0
    True
    """
    machine = _numbers(Path("/proc/meminfo"))
    found = [_cgroup_bytes()]
    if "MemAvailable" in machine:
        found.append((machine["MemAvailable"] + machine.get("SwapFree", 0)) << 10)
    return min((each for each in found if each is not None), default=None)


def _reachable() -> Iterator[Any]:
    """Objects that may be arrays: those the collector knows of, and what they refer to.

    It does not know containers of untracked objects, such as a dict of arrays: these are opened.
    """
    seen: set[int] = set()
    values = [*gc.get_objects(), *_variables()]
    while values:
        for each in gc.get_referents(values.pop()):
            if id(each) not in seen and (type(each) in (dict, tuple, list) or _is_array(each)):
                seen.add(id(each))
                if _is_array(each):
                    yield each
                elif not gc.is_tracked(each):
                    values.append(each)


def _variables() -> list[list[Any]]:
    """The values of the variables of all running functions but those of this file."""
    found = []
    at: FrameType | None = None
    for frame in sys._current_frames().values():
        at = frame
        while at is not None:
            if at.f_code.co_filename != __file__:
                found.append(_locals(at))
            at = at.f_back
    del frame  # One of them is that of this function, and would keep itself.
    return found


def _locals(frame: FrameType) -> list[Any]:
    """The values of a frame's variables."""
    names = frame.f_locals
    values = list(names.values())
    if type(names) is dict and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        # Before Python 3.13 these are copies, which would live on for as long as the frame runs.
        names.clear()
    return values


def _is_array(x: Any) -> bool:
    return type(x) is BASE.array_type


def live_arrays() -> Counter[ShapedArray]:
    """The arrays that the program holds now, counted by type. It looks at every object there is.

    >>> import xform.numpy as xnp
    >>> kept = {"a": xnp.zeros((123, 321))}
    >>> live_arrays()[kept["a"].aval]
    1
    """
    return Counter(array.aval for array in _reachable())


def refusal(wanted: str, nbytes: int) -> OutOfMemoryError:
    """The error of a request for memory.

    Args:
        wanted: what it was for.
        nbytes: its size.

    >>> print(refusal("an array", 1 << 50).expected)
    expected memory for an array of 1.0 PiB (1125899906842624 bytes)
    """
    available = available_bytes()
    free = "less is available" if available is None else f"{size_text(available)} are available"
    live = live_arrays()
    total = sum(aval.nbytes * count for aval, count in live.items())
    largest = sorted(live.items(), key=lambda item: -item[0].nbytes * item[1])[:_SHOWN]
    shown = [
        f"{aval}{f' ({count} of them)' if count > 1 else ''} {size_text(aval.nbytes * count)}"
        for aval, count in largest
    ]
    held = f"; {sum(live.values())} arrays hold {size_text(total)}: {', '.join(shown)}"
    return OutOfMemoryError(
        f"expected memory for {wanted} of {size_text(nbytes)} ({nbytes} bytes)",
        free + (held if live else "; no array holds any"),
        instead="lax.map(f, xs, batch_size=...) for less at a time, xform.checkpoint for fewer "
        "residuals, or del of what is not needed",
    )


def require(nbytes: int, wanted: str = "an array") -> None:
    """Raise unless a request can be met.

    Args:
        nbytes: its size.
        wanted: what it is for.

    Raises:
        OutOfMemoryError: it is large, and there is less memory than that.

    >>> require(1000)
    """
    if nbytes >= LARGE_BYTES:
        available = available_bytes()
        if available is not None and nbytes > available:
            raise refusal(wanted, nbytes)


def _require_aval(aval: ShapedArray) -> None:
    require(aval.nbytes, str(aval))


def _refuse_aval(aval: ShapedArray) -> OutOfMemoryError:
    return refusal(str(aval), aval.nbytes)


BASE.require_memory = _require_aval
BASE.no_memory = _refuse_aval
