"""Scatters that multiply, or keep the least or the greatest: what is not linear in the updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors
from ..core.primitive import Custom, LinearInput, Primitive, Zero
from ..core.trace import aval_of
from .elementwise import div, eq, mul, ne, or_
from .indexing import define_scatter, instantiated, read_back, scatter_add
from .rules import NOT_LINEAR
from .structural import add, convert, full_like, select_n, zeros, zeros_like


def _mul_jvp(primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
    x, indices, updates = primals
    x_t, _, updates_t = tangents
    out = scatter_mul(x, indices, updates, **params)
    if isinstance(updates_t, Zero):
        if isinstance(x_t, Zero):
            return out, Zero(aval_of(out).tangent())
        return out, scatter_mul(x_t, indices, updates, **params)
    if not params["unique_indices"]:
        raise errors.AbsentRuleError(
            "'scatter_mul' has a derivative in the updates for unique indices only",
            why="the derivative of one of several factors at a place is the product of the others",
            instead="unique_indices=True, where no place is multiplied twice",
        )
    t = mul(x, scatter_add(zeros_like(x), indices, updates_t, **params))
    return out, t if isinstance(x_t, Zero) else add(t, scatter_mul(x_t, indices, updates, **params))


def _mul_transpose(ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> list[Any]:
    if isinstance(x, LinearInput):
        return [scatter_mul(ct, indices, updates, **params), None, None]
    return [None, None, read_back(mul(ct, x), indices, updates.aval, **params)]


scatter_mul: Primitive = define_scatter(
    "scatter_mul",
    np.multiply,
    "mul",
    "number",
    unique=True,
    jvp=Custom(_mul_jvp),
    transpose=_mul_transpose,
    ulp=8,
)


def _extreme_jvp(
    row: Primitive, primals: Sequence[Any], tangents: Sequence[Any], params: dict[str, Any]
) -> tuple[Any, Any]:
    """The tangent is the mean of the tangents of all that equal the extreme."""
    x, indices, updates = primals
    out = row(x, indices, updates, **params)
    if isinstance(tangents[0], Zero) and isinstance(tangents[2], Zero):
        return out, Zero(aval_of(out).tangent())
    x_t, updates_t = instantiated(tangents[0]), instantiated(tangents[2])
    dtype = aval_of(out).dtype
    # A NaN equals nothing: where the operand is one, its own tangent stays.
    kept = or_(eq(x, out), ne(x, x))
    wins = eq(updates, read_back(out, indices, aval_of(updates), **params))
    nothing = zeros(aval_of(updates).strong())
    winners = scatter_add(convert(kept, dtype), indices, convert(wins, dtype), **params)
    total = scatter_add(
        select_n(kept, zeros_like(x_t), x_t),
        indices,
        select_n(wins, nothing, updates_t),
        **params,
    )
    one = full_like(winners, 1)
    return out, div(total, select_n(eq(winners, zeros_like(winners)), winners, one))


scatter_min: Primitive = define_scatter(
    "scatter_min",
    np.minimum,
    "min",
    "real",
    jvp=Custom(
        lambda primals, tangents, **params: _extreme_jvp(scatter_min, primals, tangents, params)
    ),
    transpose=NOT_LINEAR,
)

scatter_max: Primitive = define_scatter(
    "scatter_max",
    np.maximum,
    "max",
    "real",
    jvp=Custom(
        lambda primals, tangents, **params: _extreme_jvp(scatter_max, primals, tangents, params)
    ),
    transpose=NOT_LINEAR,
)
