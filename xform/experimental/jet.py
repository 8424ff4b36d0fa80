"""Taylor mode: derivatives of high order along a curve, as in `jax.experimental.jet`.

>>> import xform.numpy as xnp
>>> from xform.experimental.jet import jet
>>> value, terms = jet(xnp.exp, (0.0,), ([1.0, 0.0, 0.0],))
>>> [float(t) for t in terms]
[1.0, 1.0, 1.0]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import errors, tree
from ..api.flat import FlatFunction, as_arrays, canonical
from ..core import dtypes
from ..core.trace import aval_of
from ..interpreters.taylor import jet_flat
from ..ops.arithmetic import mul
from ..ops.structural import convert, full_like


def jet(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    series: Sequence[Sequence[Any]],
    factorial_scaled: bool = True,
    **_: Any,
) -> tuple[Any, Any]:
    """The derivatives of `fun` along a curve, to the order to which those of the curve are given.

    The cost grows as a polynomial in the order, except through loops and branches, where it doubles
    with each order.

    Args:
        fun: a function of floating or complex arrays that returns a pytree of arrays.
        primals: where the curve starts: a tuple with one array per argument.
        series: a tuple with one list per argument, of as many arrays as the order, each of the
            shape of the argument: the first, second, ... derivative of the curve there.
        factorial_scaled: whether derivatives are meant; with False, the coefficients of the power
            series, which are derivatives divided by the factorial of their order.

    Returns:
        `(value, terms)`: the value, and for each array in it the list of derivatives along the
        curve.

    Errors:
        ArgumentError: for another number of lists than arguments, or lists of different lengths.
            ShapeError: for a derivative of another shape than its argument. GradError: for an
            argument of integers.

    >>> import xform.numpy as xnp
    >>> from xform.experimental.jet import jet
    >>> value, (first, second) = jet(xnp.sin, (0.0,), ([1.0, 0.0],))
    >>> float(value), float(first), float(second)
    (0.0, 1.0, 0.0)
    """
    if not isinstance(primals, tuple | list) or not isinstance(series, tuple | list):
        raise errors.ArgumentError(
            "expected primals and series as tuples with one entry per argument",
            f"{type(primals).__name__} and {type(series).__name__}",
            instead="jet(f, (x,), ([t1, t2],))",
        )
    if len(primals) != len(series):
        raise errors.ArgumentError(
            f"expected one list of derivatives for each of the {len(primals)} arguments",
            str(len(series)),
            instead="jet(f, (x, y), ([x1, x2], [y1, y2]))",
        )
    lengths = sorted({len(terms) for terms in series})
    if len(lengths) != 1:
        raise errors.ArgumentError("expected as many derivatives for every argument", f"{lengths}")
    values = [canonical(x) for x in primals]
    given = [
        [_checked(x, t, _scale(k, factorial_scaled)) for k, t in enumerate(terms, 1)]
        for x, terms in zip(values, series, strict=True)
    ]
    flat = FlatFunction(fun, tree.structure(tuple(range(len(values)))))
    outs, found = jet_flat(flat, values, given, lengths[0])
    terms = [
        [
            _scaled(t, 1 / _scale(k, factorial_scaled))
            for k, t in enumerate(as_arrays(derivatives), 1)
        ]
        for derivatives in found
    ]
    return flat.value(as_arrays(outs)), flat.value(terms)


def _scale(k: int, factorial_scaled: bool) -> int:
    return 1 if factorial_scaled else math.factorial(k)


def _scaled(x: Any, number: float) -> Any:
    return x if number == 1 else mul(x, full_like(x, number))


def _checked(x: Any, term: Any, scale: int) -> Any:
    aval, found = aval_of(x), aval_of(canonical(term))
    if aval.tangent() is not aval:
        raise errors.GradError(
            "expected arguments of a floating dtype for jet",
            str(aval),
            instead="x.astype(float), or a function that closes over the argument",
        )
    if found.shape != aval.shape:
        raise errors.ShapeError(
            "expected derivatives of the shape of their argument", f"{found} for {aval}"
        )
    if found.dtype != aval.dtype and not (
        found.weak_type and (dtypes.is_complex(aval.dtype) or not dtypes.is_complex(found.dtype))
    ):
        raise errors.DtypeError(
            "expected derivatives of the dtype of their argument", f"{found} for {aval}"
        )
    return _scaled(convert(term, aval.dtype), scale)


__all__ = ["jet"]
