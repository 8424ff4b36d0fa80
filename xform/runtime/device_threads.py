"""Running native programs on several devices at once: `kernels/runtime/devices.c` from Python.

A program is a native function of a table of buffers, the number of its device, and the group of
devices it belongs to. Inside, devices meet at collectives: `group_exchange` shows each other's
pointers, and `group_leave` waits until nobody needs them any more.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ..config import config
from ..errors import CollectiveError, CollectiveTimeoutError
from . import engine, native

__all__ = ["Threads", "run_on_devices", "symbols", "threads"]

# As in devices.c: why a group stopped, and the first words of a group.
_FAILED, _INTERRUPTED, _TIMED_OUT, _APART, _NO_THREADS = 1, 2, 3, 4, 5
_COUNT, _REASON, _DEVICE, _STATUS = range(4)
_SLOT_BYTES, _MEETING_OFFSET = 64, 8
_ALIGNMENT = 64
_POINTER_BYTES = 8
_ERRORS_KEPT = 64


class Threads:
    """The functions of `devices.c`; `symbols` are the addresses that compiled code refers to."""

    def __init__(self, runtime: Any) -> None:
        def function(name: str, result: Any, *arguments: Any) -> Any:
            return ctypes.PYFUNCTYPE(result, *arguments)(runtime.symbol(name))

        number, pointer = ctypes.c_int64, ctypes.c_void_p
        self.group_bytes = function("group_bytes", number, number)
        self.group_start = function("group_start", None, pointer, number, number, number)
        self.group_end = function("group_end", None, pointer)
        self.run = function(
            "devices_run_released", ctypes.c_int32, pointer, pointer, number, pointer
        )
        self.workers = function("devices_workers", number)
        self.forget = function("devices_forget", None)
        self.symbols = {
            name: runtime.symbol(name)
            for name in (
                "devices_run",
                "group_bytes",
                "group_start",
                "group_end",
                "group_meet",
                "group_exchange",
                "group_leave",
                "devices_call",
                "collective_stack",
                "collective_fetch",
                "collective_place",
            )
        }
        function("devices_prepare", None)()
        self._timeout = number.from_address(runtime.symbol("devices_timeout_ns"))
        # The last errors: compiled code takes a reference of its own soon after.
        self._errors: deque[BaseException] = deque(maxlen=_ERRORS_KEPT)
        complain = ctypes.CFUNCTYPE(None, pointer, pointer, ctypes.POINTER(pointer))
        self._complain = complain(self.complain)
        place = pointer.from_address(runtime.symbol("devices_complain"))
        place.value = ctypes.cast(self._complain, pointer).value
        engine.keep_for_ever(self)
        config.on_change(self.follow)
        self.follow()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def follow(self) -> None:
        """Tells compiled code the time-out that is set."""
        self._timeout.value = int(config.collective_timeout_s * 1e9)

    def complain(self, group: int, meetings: int, error: Any) -> None:
        """Gives compiled code the type and value of the error that says why a group stopped."""
        made = failure(group, self, lambda number: _name_at(meetings, number))
        self._errors.append(made)
        error[0] = id(type(made))
        error[1] = id(made)


def _name_at(meetings: int, number: int) -> str:
    """The name of a collective, in an array of C strings."""
    text = ctypes.c_char_p.from_address(meetings + number * _POINTER_BYTES).value
    return (text or b"").decode()


@functools.cache
def threads() -> Threads | None:
    """The native functions; None where there is no native runtime.

    >>> threads() is threads()
    True
    """
    runtime = native.runtime()
    return None if runtime is None else Threads(runtime)


def symbols() -> dict[str, int]:
    """The addresses that code for several devices refers to.

    Raises:
        CollectiveError: there is no native runtime.
    """
    return _required().symbols


def _required() -> Threads:
    found = threads()
    if found is None:
        raise CollectiveError(
            "expected the native runtime, which runs programs on devices", native.reason()
        )
    return found


def run_on_devices(
    program: int, tables: Sequence[Sequence[int]], meetings: Sequence[str] = ()
) -> None:
    """Runs a native program on as many devices as there are tables, and waits for all.

    Args:
        program: the address of `int32_t program(void **buffers, int64_t device, void *group)`.
        tables: for each device the addresses of its buffers.
        meetings: what the collectives are called that devices meet at, by number.

    Raises:
        CollectiveTimeoutError: a device waited longer than `collective_timeout_s` for the others.
        CollectiveError: devices met at different collectives, or a device returned a number other
            than 0. KeyboardInterrupt: Ctrl-C while waiting.
    """
    native_threads = _required()
    count = len(tables)
    rows = [(ctypes.c_void_p * max(1, len(t)))(*t) for t in tables]
    table = (ctypes.c_void_p * count)(*map(ctypes.addressof, rows))
    size = native_threads.group_bytes(count)
    memory = (ctypes.c_char * (size + _ALIGNMENT))()
    start = ctypes.addressof(memory)
    group = start + -start % _ALIGNMENT
    native_threads.group_start(group, count, int(config.collective_timeout_s * 1e9), 1)
    try:
        if native_threads.run(program, ctypes.addressof(table), count, group):
            raise failure(
                group,
                native_threads,
                lambda k: meetings[k] if k < len(meetings) else f"collective {k}",
            )
    finally:
        native_threads.group_end(group)


def failure(group: int, native_threads: Threads, name_of: Callable[[int], str]) -> CollectiveError:
    """The error that says why a group stopped."""
    words = (ctypes.c_int64 * 4).from_address(group)
    count, reason, device, status = words
    slots = group + native_threads.group_bytes(0)
    places = [
        ctypes.c_int64.from_address(slots + d * _SLOT_BYTES + _MEETING_OFFSET).value
        for d in range(count)
    ]
    where = "; ".join(f"device {d} {_place(at, name_of)}" for d, at in enumerate(places))
    if reason == _TIMED_OUT:
        return CollectiveTimeoutError(
            f"expected all devices at a collective within {config.collective_timeout_s:g} s",
            where,
            why="a collective waits for every device",
            instead='xform.config.update("collective_timeout_s", ...), or a program in which all '
            "devices run the same collectives",
        )
    if reason == _APART:
        return CollectiveError(
            "expected all devices at the same collective",
            where,
            why="each device took another way through the program",
            instead="the collective outside of branches and loops that devices decide on alone",
        )
    if reason == _NO_THREADS:
        return CollectiveError(
            f"expected a thread for each of {count} devices",
            f"none for device {device}",
            why="the system lets this process have no more threads",
            instead='a smaller xform.config.update("num_cpu_devices", ...)',
        )
    return CollectiveError(
        "expected every device to finish", f"device {device} failed with status {status}"
    )


def _place(meeting: int, name_of: Callable[[int], str]) -> str:
    return "computes" if meeting < 0 else f"waits at {name_of(meeting)}"
