"""Between the user's functions of pytrees and the interpreters' functions of flat lists."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import errors, tree
from ..core.jaxpr import Literal
from ..core.primitive import Zero
from ..core.source import name_of as name_of
from ..core.trace import BASE, Tracer, aval_of
from ..core.values import narrowed, to_numpy
from ..ops.structural import zeros


class FlatFunction:
    """A function of flat leaves that returns flat leaves.

    After a call, `value` and `aux` rebuild what the user's function returned from its flat outputs.
    With `has_aux` the function returns a pair `(value, aux)`; the first `count` outputs are the
    value's.
    """

    __slots__ = ("aux_tree", "count", "fun", "has_aux", "in_tree", "out_tree", "takes_kwargs")

    def __init__(
        self,
        fun: Callable[..., Any],
        in_tree: tree.TreeDef,
        *,
        has_aux: bool = False,
        takes_kwargs: bool = False,
    ) -> None:
        self.fun = fun
        self.in_tree = in_tree
        self.has_aux = has_aux
        self.takes_kwargs = takes_kwargs
        self.out_tree = self.aux_tree = tree.structure(None)
        self.count = 0

    def __call__(self, *leaves: Any) -> list[Any]:
        given = self.in_tree.unflatten(without_literals(leaves))
        args, kwargs = given if self.takes_kwargs else (given, {})
        result = self.fun(*args, **kwargs)
        extra: list[Any] = []
        if self.has_aux:
            result, aux = self._pair(result)
            extra, self.aux_tree = tree.flatten(aux)
        flat, self.out_tree = tree.flatten(result)
        self.count = len(flat)
        check_outputs([*flat, *extra], self.fun)
        return [*flat, *extra]

    def _pair(self, result: Any) -> Any:
        if not isinstance(result, tuple) or len(result) != 2:
            raise errors.ArgumentError(
                f"expected {name_of(self.fun)} to return a pair (value, aux), "
                "because of has_aux=True",
                type(result).__name__,
                instead="return value, aux",
            )
        return result

    def returned(self, out_tree: tree.TreeDef) -> None:
        """Says what the function would return, where a rule ran in its place."""
        self.out_tree = out_tree
        self.count = out_tree.num_leaves

    def value(self, leaves: Sequence[Any]) -> Any:
        return self.out_tree.unflatten(leaves[: self.count])

    def aux(self, leaves: Sequence[Any]) -> Any:
        return self.aux_tree.unflatten(leaves[self.count :])


def check_outputs(flat: Sequence[Any], fun: Callable[..., Any]) -> None:
    """Every output must be something operators understand."""
    for leaf in flat:
        if not is_value(leaf):
            raise errors.ArgumentError(
                f"expected {name_of(fun)} to return arrays, numbers, or pytrees of them",
                f"{type(leaf).__name__}: {leaf!r}",
                instead="return the arrays, and keep other objects outside of the transformed "
                "function",
            )


def is_value(x: Any) -> bool:
    """Whether operators take `x`: a tracer, an array, a NumPy array or a number."""
    return (
        isinstance(x, Tracer | Literal | bool | int | float | complex)
        or type(x) is BASE.array_type
        or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind not in "OSUMm")
    )


def canonical(x: Any) -> Any:
    """A user's leaf as a value: NumPy arrays narrowed, everything else as it is; others raise."""
    if isinstance(x, Tracer) or type(x) is BASE.array_type:
        return x
    if isinstance(x, np.ndarray):
        return narrowed(x)
    aval_of(x)
    return x


def as_array(x: Any) -> Any:
    """A value to hand to the user: an array, also of numbers and symbolic zeros."""
    if isinstance(x, Tracer) or type(x) is BASE.array_type:
        return x
    if isinstance(x, Zero):
        return zeros(x.aval)
    if isinstance(x, np.ndarray) and x.dtype.names:
        return x  # float0
    aval = aval_of(x)
    array = to_numpy(x, aval)
    return BASE.wrap(np.ascontiguousarray(array).reshape(aval.shape), aval)


def without_literals(values: Sequence[Any]) -> list[Any]:
    """Values for the user's functions: the constants of a program become arrays."""
    return [as_array(x) if isinstance(x, Literal) else x for x in values]


def as_arrays(values: Sequence[Any]) -> list[Any]:
    """`as_array` of each value."""
    return [as_array(x) for x in values]


def argument_names(fun: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """A readable name for every leaf: `x`, `params['w']`."""
    try:
        bound = inspect.signature(fun).bind_partial(*args, **kwargs)
        tops = list(bound.arguments)
    except (TypeError, ValueError):
        tops = []
    names: list[str] = []
    for path, _ in tree.flatten_with_path((tuple(args), dict(kwargs)))[0]:
        side, top, *rest = path
        if side.idx == 0 and top.idx < len(tops):
            head = tops[top.idx]
        elif side.idx == 0:
            head = f"args[{top.idx}]"
        else:
            head = str(top.key)
        names.append(head + tree.keystr(tuple(rest)))
    return names


def normalize_argnums(argnums: int | Sequence[int], count: int, what: str) -> tuple[int, ...]:
    """Positions counted from the front; out of range ones raise."""
    given = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in given:
        if not -count <= n < count:
            raise errors.ArgumentError(
                f"expected {what} to name positional arguments, of which there are {count}",
                f"{what}={argnums}",
                instead=f"{what} from 0 to {count - 1}" if count else "positional arguments",
            )
    return tuple(n % count for n in given)


def fix_others(
    fun: Callable[..., Any], positions: Sequence[int], args: Sequence[Any], kwargs: dict[str, Any]
) -> Callable[..., Any]:
    """`fun` as a function of the arguments at `positions` only; the others keep their values."""

    def fixed(*given: Any) -> Any:
        full = list(args)
        for n, x in zip(positions, given, strict=True):
            full[n] = x
        return fun(*full, **kwargs)

    fixed.__name__ = name_of(fun)
    return fixed
