"""Calls of jitted functions: `JitFunction`, its plans, and the guard that switches plans off."""

from __future__ import annotations

from typing import Any

from xform.runtime import dispatch_python, native
from xform.runtime.plan import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NoneLeaf,
    NumpyLeaf,
    Plan,
    ScalarLeaf,
    Spec,
    StaticLeaf,
    TupleSpec,
)

__all__ = [
    "ArrayLeaf",
    "DictSpec",
    "JitFunction",
    "ListSpec",
    "NoneLeaf",
    "NumpyLeaf",
    "Plan",
    "ScalarLeaf",
    "Spec",
    "StaticLeaf",
    "TupleSpec",
    "add_plan",
    "allow_scopes",
    "clear_plans",
    "guard_enter",
    "guard_exit",
    "plan_count",
]

_BACKEND: Any = native.runtime() or dispatch_python

JitFunction: Any = _BACKEND.JitFunction
"""``JitFunction(slow)``: a callable that tries its plans, then calls ``slow(*args, **kwargs)``."""

guard_enter = _BACKEND.guard_enter
"""``guard_enter()``: every call takes its slow path, until as many `guard_exit` have followed."""

guard_exit = _BACKEND.guard_exit
"""``guard_exit()``: end one `guard_enter`."""


def allow_scopes() -> None:
    """Look at the settings of `config.scoped` blocks from now on, at every call.

    The native dispatcher does not until the first block that sets an option calls depend on.
    """
    dispatch_python.scoped.value = 1


def add_plan(function: Any, plan: Plan) -> None:
    """Give a jitted function one more way of being called without its slow path.

    The newest plan is tried first. A function keeps `dispatch_python.MAX_PLANS` of them and drops
    the one not used for longest.

    Args:
        function: a `JitFunction`.
        plan: what to accept and what to run; adding one again moves it to the front.
    """
    function._add_plan(plan)


def clear_plans(function: Any) -> None:
    """Forget all plans of a jitted function.

    Args:
        function: a `JitFunction`.
    """
    function._clear_plans()


def plan_count(function: Any) -> int:
    """How many plans a jitted function has.

    Args:
        function: a `JitFunction`.
    """
    return int(function._plan_count())
