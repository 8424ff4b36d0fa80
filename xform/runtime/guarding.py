"""When plans may be used: each holds for the configuration that it was made under.

A plan names the settings of the `config.scoped` blocks around the call that made it, and matches
within blocks of the same settings only. It also depends on the values of the process: when one of
an option that calls depend on is updated, all plans are dropped.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakSet

from ..config import Settings, config
from .dispatch import JitFunction, add_plan, allow_scopes, clear_plans
from .plan import Plan


class Moment(NamedTuple):
    """The configuration of a call: the settings of blocks, and the version of the process's."""

    settings: Settings
    version: int


class _Watch:
    """Follows the configuration of the process."""

    def __init__(self) -> None:
        self.functions: WeakSet[Any] = WeakSet()
        self.key = config.call_key()
        self.version = 0

    def changed(self) -> None:
        if config.settings:
            allow_scopes()
        key = config.call_key()
        if key != self.key:
            self.key = key
            self.version += 1
            for function in list(self.functions):
                clear_plans(function)


_watch = _Watch()
config.on_change(_watch.changed)


def guarded_function(slow: Any) -> Any:
    """A `JitFunction` whose plans are dropped when the configuration changes."""
    function = JitFunction(slow)
    _watch.functions.add(function)
    return function


def moment() -> Moment:
    """The configuration now: what a slow path notes before it reads any option."""
    return Moment(config.settings, _watch.version)


def teach(function: Any, plan: Plan, made: Moment) -> None:
    """Adds a plan for the settings that it was made under, unless options were updated since.

    Calls that run op by op (`disable_jit`, `debug_nans`) have no plans.
    """
    if plan.settings is not made.settings:
        raise ValueError(f"expected a plan for {made.settings}, got one for {plan.settings}")
    if config.disable_jit or config.debug_nans or made != moment():
        return
    add_plan(function, plan)
    # The update may have come in another thread, between the question and the answer.
    if made.version != _watch.version:
        clear_plans(function)
