"""The threads that share the loops of one program: `kernels/runtime/threads.c` from Python."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..compiler.target import host
from ..config import config
from ..errors import ArgumentError
from . import engine, native
from .devices import our_cores

__all__ = ["available", "symbols", "threads"]

_SERIAL = """
define void @threads_run(ptr %program, ptr %context, i64 %count, i64 %grain) {
  call void %program(ptr %context, i64 0, i64 %count)
  ret void
}
"""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available() -> int:
    """How many threads the process may keep busy.

    Returns:
        the number of cores it may run on, less where a quota of its control group allows less.

    >>> available() >= 1
    True
    """
    return max(1, min(len(our_cores()), _quota()))


@functools.cache
def _quota() -> int:
    """The cores' worth of time that the control group allows."""
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # No such file, or "max".
        return len(our_cores())


class _Pool:
    """The native pool, told how many threads the options ask for."""

    def __init__(self, runtime: Any) -> None:
        self.run: int = runtime.symbol("threads_run")
        self._limit = ctypes.c_int64.from_address(runtime.symbol("threads_limit"))
        self._helpers = ctypes.PYFUNCTYPE(ctypes.c_int64)(runtime.symbol("threads_helpers"))
        forget = ctypes.PYFUNCTYPE(None)(runtime.symbol("threads_forget"))
        engine.keep_for_ever(self)
        config.on_change(self.follow)
        self.follow()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=forget)

    def follow(self) -> None:
        """Takes over the number of threads that is set."""
        self._limit.value = config.num_threads or available()

    def helpers(self) -> int:
        """How many workers have been made."""
        return int(self._helpers())


@functools.cache
def pool() -> _Pool | None:
    """The native pool; None where there is no native runtime."""
    runtime = native.runtime()
    return None if runtime is None else _Pool(runtime)


@functools.cache
def _serial() -> engine.Library:
    library = engine.link(host().object_code(_SERIAL), ["threads_run"])
    engine.keep_for_ever(library)
    return library


def symbols() -> dict[str, int]:
    """The address of what compiled code shares loops by; without a native runtime, in one thread.

    >>> list(symbols())
    ['threads_run']
    """
    found = pool()
    return {"threads_run": _serial()["threads_run"] if found is None else found.run}


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Within the block, compiled functions use at most so many threads.

    Results do not depend on it, to the last bit. Outside of blocks the option `num_threads` says
    how many (`XFORM_NUM_THREADS`); by default as many as the cores that the process may use,
    less where a quota of its control group allows less. Each of several devices has its share.
    The number holds for all Python threads of the process while the block lasts.

    Args:
        count: at least 1; None for as many as there are cores.

    Raises:
        ArgumentError: `count` is no positive integer.

    >>> import xform, xform.numpy as xnp
    >>> x = xnp.arange(1e6)
    >>> f = xform.jit(lambda x: (xnp.sin(x) ** 2).sum())
    >>> with xform.threads(1):
    ...     alone = f(x)
    >>> bool(alone == f(x))
    True
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ArgumentError("expected a number of threads, at least 1, or None", repr(count))
    with config.scoped(num_threads=count):
        yield
