"""Builders of rows: what elementwise operators share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import errors
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.loops import Map
from ..core.primitive import (
    Absent,
    Domain,
    LinearInput,
    Primitive,
    constant,
    define,
    elementwise,
)
from .checks import check_same_dtypes, check_same_shapes

Interval = tuple[float, float]

NOT_LINEAR = Absent("the operator is not linear, so it has no transpose")

EDGES = (0.0, -0.0, np.inf, -np.inf, np.nan)

KINDS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("float", dtypes.is_float),
    ("inexact", dtypes.is_inexact),
    ("complex", dtypes.is_complex),
    ("integer", dtypes.is_integer),
    ("bool", dtypes.is_bool),
    ("integral", lambda d: dtypes.is_integer(d) or dtypes.is_bool(d)),
    ("real", lambda d: dtypes.is_integer(d) or dtypes.is_float(d)),
    ("number", lambda d: dtypes.is_integer(d) or dtypes.is_inexact(d)),
    ("any", lambda d: True),
)
_ACCEPTS = dict(KINDS)
_WORDS = {
    "float": "a floating dtype",
    "inexact": "a floating or complex dtype",
    "complex": "a complex dtype",
    "integer": "an integer dtype",
    "bool": "dtype bool",
    "integral": "an integer or boolean dtype",
    "real": "an integer or floating dtype",
    "number": "a numeric dtype",
    "any": "any dtype",
}
_LAW_DTYPES = {
    "float": ("float32", "float64"),
    "inexact": ("float32", "float64"),
    "complex": ("complex64", "complex128"),
    "integer": ("int32", "uint8", "int64"),
    "bool": ("bool",),
    "integral": ("int32", "uint8", "bool"),
    "real": ("float32", "float64", "int32", "uint8"),
    "number": ("float32", "float64", "int32", "uint8"),
    "any": ("float32", "float64", "int32", "bool"),
}


def check_kind(name: str, kind: str, x: ShapedArray, instead: str | None = None) -> None:
    """Raises `DtypeError` unless `x` has a dtype of the kind."""
    if not _ACCEPTS[kind](x.dtype):
        raise errors.DtypeError(
            f"expected {_WORDS[kind]} for {name}",
            str(x),
            instead=instead or f"x.astype(...), or xform.numpy.{name}, which promotes",
        )


def elementwise_aval(
    name: str, accepts: str, result: Callable[[Any], Any] | None = None
) -> Callable[..., ShapedArray]:
    """`abstract_eval` of an elementwise operator whose inputs agree in shape and dtype.

    `result` maps the input dtype to the output's; without it they are equal. A changed dtype is not
    weak.
    """

    def abstract_eval(*avals: ShapedArray, **params: Any) -> ShapedArray:
        check_same_shapes(name, avals)
        check_same_dtypes(name, avals)
        check_kind(name, accepts, avals[0])
        weak = all(a.weak_type for a in avals)
        if result is None:
            return avals[0].update(weak_type=weak)
        dtype = np.dtype(result(avals[0].dtype))
        return ShapedArray(avals[0].shape, dtype, weak and dtype == avals[0].dtype)

    return abstract_eval


def define_elementwise(
    name: str,
    impl: Callable[..., Any],
    *,
    accepts: str,
    jvp: Any,
    arity: int,
    result: Callable[[Any], Any] | None = None,
    params: tuple[str, ...] = (),
    cases: Sequence[dict[str, Any]] = (),
    scalar: str | None = None,
    transpose: Any = NOT_LINEAR,
    domain: Sequence[Interval] = ((-2.0, 2.0),),
    law_dtypes: tuple[str, ...] | None = None,
    ulp: float = 0.0,
    special: tuple[float, ...] = EDGES,
    compiled_from: int = 0,
) -> Primitive:
    """A row whose output at each index depends on the inputs at that index only.

    `scalar` is the formula in `kernels.scalar`, by default the operator's own name. `cases` are the
    parameters that laws try. `domain` has one interval per input; the last one repeats.
    """
    shape = (7,)
    drawn = tuple((((shape,) * arity), case) for case in cases)
    return define(
        name,
        params=params,
        abstract_eval=elementwise_aval(name, accepts, result),
        impl=impl,
        jvp=jvp,
        transpose=transpose,
        batch=elementwise,
        lower=Map(scalar or name, params),
        domain=Domain(
            intervals=tuple(domain),
            cases=drawn or (((shape,) * arity, {}), (((),) * arity, {}), (((3, 37),) * arity, {})),
            dtypes=law_dtypes or _LAW_DTYPES[accepts],
        ),
        ulp=ulp,
        special=special,
        compiled_from=compiled_from,
    )


def unary(
    name: str,
    impl: Callable[..., Any],
    *,
    jvp: Any,
    accepts: str = "inexact",
    domain: Interval = (-2.0, 2.0),
    **rest: Any,
) -> Primitive:
    """A row of one input. `jvp` is the rule `(t, y, x)`, or `constant`, or `linear`."""
    rule = (jvp,) if callable(jvp) else jvp
    return define_elementwise(
        name, impl, jvp=rule, accepts=accepts, arity=1, domain=(domain,), **rest
    )


def binary(
    name: str,
    impl: Callable[..., Any],
    *,
    jvp: Any,
    accepts: str = "number",
    domain: Sequence[Interval] = ((-2.0, 2.0), (-2.0, 2.0)),
    **rest: Any,
) -> Primitive:
    """A row of two inputs. `jvp` is two rules `(t, z, x, y)`, `multilinear` or `constant`."""
    return define_elementwise(name, impl, jvp=jvp, accepts=accepts, arity=2, domain=domain, **rest)


def comparison(name: str, impl: Callable[..., Any], accepts: str = "any") -> Primitive:
    """A row of two inputs and a boolean output."""
    return binary(name, impl, jvp=constant, accepts=accepts, result=lambda d: np.bool_)


def in_single(impl: Callable[..., Any]) -> Callable[..., Any]:
    """An `impl` that computes 16-bit floats in float32, as compiled code does."""

    def wrapped(*arrays: Any, **params: Any) -> Any:
        dtype = arrays[0].dtype
        if dtype.itemsize > 2 or not dtypes.is_float(dtype):
            return impl(*arrays, **params)
        wide = [a.astype(np.float32) if a.dtype == dtype else a for a in arrays]
        out = np.asarray(impl(*wide, **params))
        return out.astype(dtype) if out.dtype == np.float32 else out

    return wrapped


def linear_unary(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The transpose of a linear operator of one input from its rule on cotangents."""
    return lambda ct, x, **params: rule(ct, **params)


def is_linear(x: Any) -> bool:
    """Whether a transpose rule is asked the cotangent of this input."""
    return isinstance(x, LinearInput)
