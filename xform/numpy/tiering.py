"""Operators of arrays that get fast when they are used: after a few calls with operands of the same
types, an operator is compiled for them, and the native dispatcher calls it without any Python.

Only operators whose compiled result is NumPy's bit for bit are treated so: an array must not depend
on how often it was computed before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import runtime
from ..config import config
from ..core import dtypes
from ..core.jaxpr import hoist_constants
from ..core.trace import BASE, aval_of, current_trace
from ..interpreters.staging import stage
from ..runtime.array import Array
from ..runtime.guarding import Moment, guarded_function, moment, teach
from ..runtime.plan import ArrayLeaf, ScalarLeaf, Spec

_EXACT = (
    *(f"__{name}__" for name in ("add", "sub", "mul", "radd", "rsub", "rmul", "neg")),
    *(f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor")),
)
_EXACT_ON_FLOATS = ("__truediv__", "__rtruediv__")
_CALLS = 16  # with operands of the same types, before an operator is compiled for them
_MOST = 256  # signatures an operator keeps count of


class Tiered:
    """The slow path of an operator: evaluates it, and counts."""

    def __init__(self, method: Callable[..., Any], floats_only: bool) -> None:
        functools.update_wrapper(self, method)
        self.method = method
        self.floats_only = floats_only
        self.counts: dict[Any, int] = {}
        self.function: Any = None

    def __call__(self, *args: Any) -> Any:
        result = self.method(*args)
        if current_trace() is BASE and type(result) is Array:
            self.count(args)
        return result

    def count(self, args: tuple[Any, ...]) -> None:
        made = moment()
        key = (made, *(x.aval if type(x) is Array else type(x) for x in args))
        calls = self.counts.get(key, 0) + 1
        if calls == _CALLS:
            self.compile(args, made)
        if len(self.counts) >= _MOST:
            self.counts.clear()
        self.counts[key] = calls

    def compile(self, args: tuple[Any, ...], made: Moment) -> None:
        specs = [_spec(x, k) for k, x in enumerate(args)]
        if None in specs or config.disable_jit or config.debug_nans:
            return
        avals = [aval_of(x) for x in args]
        if self.floats_only and not all(dtypes.is_float(a.dtype) for a in avals):
            return
        program = stage(lambda *xs: [self.method(*xs)], avals, self.method.__name__)
        if program.consts:
            return
        executable = runtime.executable.Executable(hoist_constants(program.jaxpr))
        if executable.host_calls.count:
            return
        result = ArrayLeaf(program.out_avals[0], 0)
        plan = executable.plan(tuple(specs), (), result, settings=made.settings)
        teach(self.function, plan, made)


def _spec(x: Any, position: int) -> Spec | None:
    if type(x) is Array:
        return ArrayLeaf(x.aval, position)
    if type(x) in (bool, int, float):
        return ScalarLeaf(type(x).__name__, aval_of(x).dtype, position)
    return None


def attach() -> None:
    """Puts the exact operators of `Array` behind the native dispatcher."""
    for name in (*_EXACT, *_EXACT_ON_FLOATS):
        tiered = Tiered(getattr(Array, name), name in _EXACT_ON_FLOATS)
        tiered.function = guarded_function(tiered)
        functools.update_wrapper(tiered.function, tiered.method)
        setattr(Array, name, tiered.function)
