"""Functions of one array whose derivative is written beside them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..core.trace import BASE, Tracer, current_trace
from ..higher_order.custom import custom_jvp_call

Function = Callable[[Any], Any]
Rule = Callable[[Any, Any, Any], Any]


def custom_derivative(rule: Rule) -> Callable[[Function], Function]:
    """A decorator that gives a function of one array the derivative `rule(t, y, x)`.

    It serves where the rules of the operators would lose accuracy, cost more, or decide a tie in
    another way than wanted. The derivative of the derivative is that of `rule`.

    Args:
        rule: from the tangent `t`, the result `y` and the argument `x`, the tangent of the result;
            linear in `t`.
    """

    def decorate(function: Function) -> Function:
        name = function.__name__.lstrip("_")

        @functools.wraps(function)
        def apply(x: Any) -> Any:
            if current_trace() is BASE and not isinstance(x, Tracer):
                return function(x)
            (y,) = custom_jvp_call(x, fun=flat, rule=flat_rule, jaxpr=None, name=name)
            return y

        @functools.wraps(function)
        def flat(x: Any) -> list[Any]:
            return [function(x)]

        @functools.wraps(rule)
        def flat_rule(x: Any, t: Any) -> list[Any]:
            y = apply(x)
            return [y, rule(t, y, x)]

        # The names that printed programs show.
        flat.__name__ = name
        flat_rule.__name__ = f"{name}_derivative"
        return apply

    return decorate
