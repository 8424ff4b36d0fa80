"""Which programs jitted functions keep: those used lately, up to a number of bytes for all.

A function keeps a program for each kind of call, and a program takes memory: its equations, its
code, the arrays that it closes over. They go with their function; and when those of all functions
exceed the limit, the ones looked up longest ago go before.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Any, NamedTuple
from weakref import ref

MOST_BYTES = 256 << 20
"""Bytes of programs and code that are kept."""

_PROGRAM_BYTES = 32 << 10  # the pages of a linked library, and its records
_EQUATION_BYTES = 1 << 10


class _Kept(NamedTuple):
    traced: ref[Any]
    owner: ref[Any]
    signature: Hashable
    nbytes: int


def size_of(traced: Any) -> int:
    """About how many bytes go when a program goes."""
    closed_over = sum(getattr(x, "nbytes", 0) for x in traced.consts)
    equations = _EQUATION_BYTES * len(traced.program.equations)
    return int(_PROGRAM_BYTES + equations + closed_over + 2 * traced.executable.code.nbytes)


class Retention:
    """The compiled programs of all jitted functions, in the order in which they were looked up.

    Args:
        most_bytes: beyond which the first of them go.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.nbytes = 0
        self.kept: OrderedDict[int, _Kept] = OrderedDict()
        self.lock = threading.RLock()
        # Programs that were freed. Finalizers run anywhere, and must not wait for the lock.
        self.gone: deque[int] = deque()

    def keep(self, owner: Any, signature: Hashable, traced: Any) -> None:
        """Count a program, and let others go if that makes too many.

        Args:
            owner: the jitted function, whose `drop(signature)` lets a program go.
            signature: what the owner finds the program by.
            traced: the program, compiled.
        """
        key = id(traced)
        with self.lock:
            self._forget_gone()
            if key in self.kept:
                return
            freed = ref(traced, lambda _: self.gone.append(key))
            entry = _Kept(freed, ref(owner), signature, size_of(traced))
            self.kept[key] = entry
            self.nbytes += entry.nbytes
            dropped = self._take_too_many()
        for old in dropped:
            found = old.owner()
            if found is not None:
                found.drop(old.signature)

    def used(self, traced: Any) -> None:
        """A program was looked up: others go before it."""
        with self.lock:
            if id(traced) in self.kept:
                self.kept.move_to_end(id(traced))

    def _forget_gone(self) -> None:
        while self.gone:
            entry = self.kept.pop(self.gone.popleft(), None)
            if entry is not None:
                self.nbytes -= entry.nbytes

    def _take_too_many(self) -> list[_Kept]:
        found = []
        while self.nbytes > self.most_bytes and len(self.kept) > 1:
            _, entry = self.kept.popitem(last=False)
            self.nbytes -= entry.nbytes
            found.append(entry)
        return found

    def after_fork(self) -> None:
        """Another thread of the parent may have held the lock."""
        self.lock = threading.RLock()


retention = Retention(MOST_BYTES)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=retention.after_fork)
