"""When plans may be used: they hold for the configuration of the process they were made under.

While a `config.scoped` block is open in any thread, or an option is set that changes what a call
does, there are no plans: every call takes its slow path, which reads the configuration. When an
option that changes code is updated for the process, all plans are dropped.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from ..config import config
from .dispatch import JitFunction, add_plan, clear_plans
from .plan import Plan


class _Watch:
    """Follows the configuration."""

    def __init__(self) -> None:
        self.functions: WeakSet[Any] = WeakSet()
        self.key = config.code_key()
        self.holding = False
        self.changed()

    def changed(self) -> None:
        before = self.holding, self.key
        self.holding = bool(config.scopes or config.disable_jit or config.debug_nans)
        if not config.scopes:
            self.key = config.code_key()
        if (self.holding, self.key) != before:
            for function in list(self.functions):
                clear_plans(function)


_watch = _Watch()
config.on_change(_watch.changed)


def guarded_function(slow: Any) -> Any:
    """A `JitFunction` whose plans are dropped when the configuration changes."""
    function = JitFunction(slow)
    _watch.functions.add(function)
    return function


def teach(function: Any, plan: Plan) -> None:
    """Adds a plan, unless the configuration is not the one of the process now."""
    if not _watch.holding:
        add_plan(function, plan)
