"""grad, jvp, vjp and what is made of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import errors, tree
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr, Literal
from ..core.primitive import Zero
from ..core.trace import aval_of
from ..interpreters.evaluate import evaluate_program
from ..interpreters.forward import instantiate, jvp_flat
from ..interpreters.reverse import backward, linearize_flat, vjp_flat
from ..ops.structural import convert, convert_element_type
from .flat import FlatFunction, as_arrays, canonical, fix_others, name_of, normalize_argnums


def check_arguments(fun: Any, argnums: Any, what: str) -> None:
    """Raises unless `fun` is a function and `argnums` one or several different positions."""
    if not callable(fun):
        raise errors.ArgumentError(
            f"expected a function for {what}",
            f"{type(fun).__name__}: {fun!r}",
            instead=f"{what}(f)(x), not {what}(f(x))",
        )
    given = argnums if isinstance(argnums, tuple | list) else (argnums,)
    if not given or not all(isinstance(n, int | np.integer) for n in given):
        raise errors.ArgumentError(
            f"expected argnums of {what} to be an int or a tuple of them",
            repr(argnums),
            instead="argnums=0, or argnums=(0, 1); a pytree is one argument",
        )


def chosen_positions(argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    """The positions to differentiate, counted from the front; raises for one that occurs twice."""
    positions = normalize_argnums(argnums, count, "argnums")
    if len(set(positions)) < len(positions):
        raise errors.ArgumentError(
            "expected argnums that name every argument once", f"argnums={argnums}"
        )
    return positions


def check_input(aval: Any, *, holomorphic: bool, allow_int: bool, what: str) -> None:
    """Raises `GradError` unless a derivative by an input of this type is meant."""
    if holomorphic:
        if not dtypes.is_complex(aval.dtype):
            raise errors.GradError(f"expected complex inputs for a holomorphic {what}", str(aval))
        return
    if dtypes.is_complex(aval.dtype) and what == "jacfwd":
        raise errors.GradError(
            f"expected real inputs for {what}", str(aval), instead="holomorphic=True"
        )
    if not dtypes.is_inexact(aval.dtype) and not allow_int:
        raise errors.GradError(
            f"expected inputs of a floating dtype for {what}",
            str(aval),
            why="integers and booleans have no derivatives",
            instead="x.astype(float), argnums=... for another argument, or allow_int=True",
        )


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that returns `fun`'s value and its gradient.

    Args:
        fun: a function with a scalar floating output; with `has_aux`, a pair of it and auxiliary
            data.
        argnums: which positional arguments to differentiate; a tuple gives a tuple of gradients.
        has_aux: whether `fun` returns `(value, aux)`; then the result is `((value, aux),
            gradient)`.
        holomorphic: promises that `fun` is holomorphic; inputs and output are then complex.
        allow_int: gives `float0` gradients for integer inputs instead of an error.

    Errors:
        GradError: for integer inputs, or an output that is not a floating scalar.

    >>> import xform
    >>> value, slope = xform.value_and_grad(lambda x: x * x)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    check_arguments(fun, argnums, "value_and_grad")

    @functools.wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        positions = chosen_positions(argnums, len(args))
        chosen = tuple(args[n] for n in positions)
        leaves, in_tree = tree.flatten(chosen)
        leaves = [canonical(x) for x in leaves]
        for x in leaves:
            check_input(aval_of(x), holomorphic=holomorphic, allow_int=allow_int, what="grad")

        flat = FlatFunction(fix_others(fun, positions, args, kwargs), in_tree, has_aux=has_aux)
        outs, pullback = vjp_flat(flat, leaves, name_of(fun))
        _check_scalar(flat.value(outs), fun, holomorphic)
        cts = pullback([_seed(outs[0]), *(Zero(aval_of(y).tangent()) for y in outs[1:])])
        gradient = in_tree.unflatten(as_arrays(cts))
        result = gradient[0] if isinstance(argnums, int) else gradient
        values = as_arrays(outs)
        value = flat.value(values)
        return ((value, flat.aux(values)) if has_aux else value), result

    return differentiated


def _seed(y: Any) -> Any:
    """One, as the cotangent of a scalar: of its dtype, and weakly typed if it is."""
    aval = aval_of(y)
    one = Literal(1, aval)
    return convert_element_type(one, new_dtype=aval.dtype, weak_type=aval.weak_type)


def _check_scalar(value: Any, fun: Callable[..., Any], holomorphic: bool) -> None:
    leaves, structure = tree.flatten(value)
    name = name_of(fun)
    if len(leaves) != 1 or structure != tree.structure(0):
        raise errors.GradError(
            f"expected {name} to return one scalar to take its gradient",
            f"a pytree {structure}",
            instead="return the loss alone, or (loss, aux) with has_aux=True",
        )
    aval = aval_of(leaves[0])
    if aval.shape:
        raise errors.GradError(
            f"expected {name} to return a scalar to take its gradient",
            f"an array of shape {aval.shape}",
            why="a gradient is the derivative of one number; an array of outputs has a Jacobian",
            instead="f(x).sum(), xform.vmap(xform.grad(f)) per example, or xform.jacrev(f)",
        )
    if not dtypes.is_inexact(aval.dtype):
        raise errors.GradError(
            f"expected {name} to return a floating scalar", str(aval), instead="y.astype(float)"
        )
    if dtypes.is_complex(aval.dtype) and not holomorphic:
        raise errors.GradError(
            f"expected {name} to return a real scalar",
            str(aval),
            instead="the real part, or holomorphic=True if the function is",
        )


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that returns the gradient of `fun`. Arguments and errors as for `value_and_grad`.

    With `has_aux` it returns `(gradient, aux)`. The gradient has the structure, shapes and dtypes
    of the arguments named by `argnums`.

    >>> import xform
    >>> float(xform.grad(lambda x: x**3)(2.0))
    12.0
    """
    check_arguments(fun, argnums, "grad")
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int)

    @functools.wraps(fun)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, result = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return gradient


def _check_tangents(avals: Sequence[ShapedArray], tangents: Sequence[Any], what: str) -> list[Any]:
    """Raises unless tangents have the primals' shapes and tangent dtypes (integers: `float0`)."""
    checked: list[Any] = []
    for aval, t in zip(avals, tangents, strict=True):
        wanted = aval.tangent()
        if wanted is not aval:
            if getattr(t, "dtype", None) != dtypes.float0:
                raise errors.DtypeError(
                    f"expected {what} of dtype float0 for integers and booleans",
                    f"{aval_of(t)} for a primal {aval}",
                    why="integers and booleans have no derivatives",
                    instead="numpy.zeros(x.shape, xform.float0)",
                )
            checked.append(Zero(wanted))
            continue
        found = aval_of(t)
        if found.shape != aval.shape:
            raise errors.ShapeError(
                f"expected {what} of the shapes of the primals",
                f"{found} for a primal {aval}",
                instead="xnp.broadcast_to(t, x.shape) where that is meant",
            )
        if not _fits(found, aval):
            raise errors.DtypeError(
                f"expected {what} of the dtypes of the primals", f"{found} for a primal {aval}"
            )
        checked.append(_cast(t, aval))
    return checked


def _fits(found: Any, aval: Any) -> bool:
    """Whether a (co)tangent has its value's dtype, or is a Python number of its kind."""
    if found.dtype == aval.dtype:
        return True
    same_kind = dtypes.is_inexact(found.dtype) and (
        dtypes.is_complex(aval.dtype) or not dtypes.is_complex(found.dtype)
    )
    return bool(found.weak_type) and same_kind


def _cast(t: Any, aval: Any) -> Any:
    return t if aval_of(t).dtype == aval.dtype else convert(t, aval.dtype)


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """The value of `fun` at `primals` and its directional derivative along `tangents`.

    Args:
        fun: any function of arrays.
        primals, tangents: tuples or lists of equal structure, shapes and dtypes, one entry per
            argument.
        has_aux: whether `fun` returns `(value, aux)`; then the result is `(value, tangent, aux)`.

    >>> import xform, math
    >>> y, t = xform.jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> float(y), float(t)
    (9.0, 6.0)
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple | list):
            raise errors.ArgumentError(
                f"expected {name} as a tuple or list with one entry per argument",
                type(given).__name__,
                instead="jvp(f, (x,), (t,))",
            )
    flat_primals, in_tree = tree.flatten(tuple(primals))
    flat_tangents, t_tree = tree.flatten(tuple(tangents))
    if in_tree != t_tree:
        raise errors.TreeError(
            "expected tangents of the structure of the primals", f"{t_tree} for {in_tree}"
        )
    flat_primals = [canonical(x) for x in flat_primals]
    ts = [canonical_tangent(t) for t in flat_tangents]
    checked = _check_tangents(_avals(flat_primals), ts, "tangents")
    flat = FlatFunction(fun, in_tree, has_aux=has_aux)
    outs, out_tangents = jvp_flat(flat, flat_primals, checked)
    values, slopes = as_arrays(outs), as_arrays(out_tangents)
    if has_aux:
        return flat.value(values), flat.value(slopes), flat.aux(values)
    return flat.value(values), flat.value(slopes)


def canonical_tangent(t: Any) -> Any:
    """A tangent as a value; `float0` arrays pass as they are."""
    if isinstance(t, np.ndarray) and t.dtype == dtypes.float0:
        return t
    return canonical(t)


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` at `primals` and its pullback.

    Returns:
        `(value, pullback)`, and `aux` as a third with `has_aux`. `pullback(ct)` takes a cotangent
        of the structure of the value and returns a tuple of cotangents, one per primal. It is a
        pytree, whose leaves are the residuals, so that jitted functions can take and return it.

    >>> import xform
    >>> y, pullback = xform.vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> [float(ct) for ct in pullback(1.0)]
    [3.0, 2.0]
    """
    leaves, in_tree = tree.flatten(primals)
    leaves = [canonical(x) for x in leaves]
    flat = FlatFunction(fun, in_tree, has_aux=has_aux)
    outs, program, has = linearize_flat(flat, leaves, name_of(fun))
    values = as_arrays(outs)
    avals = tuple(aval_of(y) for y in outs[: flat.count])
    kept = _Pullback(program.jaxpr, tuple(has), in_tree, _avals(leaves), flat.out_tree, avals)
    pullback = tree.Partial(kept, *program.consts)
    value = flat.value(values)
    return (value, pullback, flat.aux(values)) if has_aux else (value, pullback)


def _avals(values: Sequence[Any]) -> tuple[ShapedArray, ...]:
    return tuple(aval_of(x) for x in values)


@dataclass(frozen=True, eq=False)
class _Linear:
    """A derivative as a linear program, whose constants are the residuals.

    `has` says which outputs have tangents in the program; the outputs of `fun` are the first ones.
    """

    program: Jaxpr
    has: tuple[bool, ...]
    in_tree: tree.TreeDef
    in_avals: tuple[ShapedArray, ...]
    out_tree: tree.TreeDef
    out_avals: tuple[ShapedArray, ...]


@dataclass(frozen=True, eq=False)
class _Pullback(_Linear):
    """The transpose of a derivative, as a function of its residuals and a cotangent."""

    def __call__(self, *values: Any) -> Any:
        *residuals, ct = values
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != self.out_tree:
            raise errors.TreeError(
                "expected a cotangent of the structure of the output",
                f"{ct_tree} for {self.out_tree}",
            )
        given = check_cotangents(self.out_avals, [canonical_tangent(x) for x in cts])
        rest = [Zero(v.aval) for v in self.program.outvars[sum(self.has[: len(given)]) :]]
        needed = [x for x, h in zip(given, self.has, strict=False) if h]
        found = iter(backward(self.program, residuals, [*needed, *rest]))
        every = [next(found) if a.tangent() is a else Zero(a.tangent()) for a in self.in_avals]
        return self.in_tree.unflatten(as_arrays(every))


def check_cotangents(avals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
    """Raises unless cotangents have the shapes and dtypes of the outputs (integers: `float0`)."""
    checked: list[Any] = []
    for aval, ct in zip(avals, cts, strict=True):
        if aval.tangent() is not aval:
            checked.append(Zero(aval.tangent()))
            continue
        found = aval_of(ct)
        if found.shape != aval.shape or not _fits(found, aval):
            raise errors.ShapeError(
                "expected a cotangent of the shape and dtype of the output",
                f"{found} for {aval}",
                instead="pullback(xnp.ones_like(value)), or another array like the value",
            )
        checked.append(_cast(ct, aval))
    return checked


def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` at `primals`, and its derivative there as a function of tangents.

    The nonlinear part of the work is done once, however often the linear function is applied.

    >>> import xform
    >>> y, push = xform.linearize(lambda x: x * x, 3.0)
    >>> float(push(1.0)), float(push(10.0))
    (6.0, 60.0)
    """
    leaves, in_tree = tree.flatten(primals)
    leaves = [canonical(x) for x in leaves]
    flat = FlatFunction(fun, in_tree, has_aux=has_aux)
    outs, program, has = linearize_flat(flat, leaves, name_of(fun))
    values = as_arrays(outs)
    avals = tuple(aval_of(y) for y in outs[: flat.count])
    kept = _Pushforward(program.jaxpr, tuple(has), in_tree, _avals(leaves), flat.out_tree, avals)
    push = tree.Partial(kept, *program.consts)
    value = flat.value(values)
    return (value, push, flat.aux(values)) if has_aux else (value, push)


@dataclass(frozen=True, eq=False)
class _Pushforward(_Linear):
    """A derivative as a function of its residuals and tangents."""

    def __call__(self, *values: Any) -> Any:
        count = len(self.program.constvars)
        residuals, tangents = values[:count], values[count:]
        ts, t_tree = tree.flatten(tangents)
        if t_tree != self.in_tree:
            raise errors.TreeError(
                "expected tangents of the structure of the primals",
                f"{t_tree} for {self.in_tree}",
            )
        checked = _check_tangents(self.in_avals, [canonical_tangent(t) for t in ts], "tangents")
        given = [t for t, a in zip(checked, self.in_avals, strict=True) if a.tangent() is a]
        found = iter(evaluate_program(self.program, residuals, given))
        slopes = [
            next(found) if h else instantiate(Zero(a.tangent()))
            for a, h in zip(self.out_avals, self.has, strict=False)
        ]
        return self.out_tree.unflatten(as_arrays(slopes))
