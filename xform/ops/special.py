"""Special functions: the error function and its kin, the logarithm of gamma and derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import errors
from ..core.loops import Opaque
from ..core.primitive import SLOW_IN_NUMPY, Domain, Primitive, define, elementwise
from ..core.trace import aval_of
from .arithmetic import mul, neg, square
from .elementwise import exp
from .rules import EDGES, NOT_LINEAR, elementwise_aval, in_single, unary
from .scipy_special import special_function
from .structural import add, full_like

Array = np.ndarray[Any, Any]

_ERFINV, _GAMMALN, _PSI, _POLYGAMMA = map(
    special_function, ("erfinv", "gammaln", "psi", "polygamma")
)


def _gaussian(factor: float, t: Any, x: Any) -> Any:
    """`factor * t * exp(-x**2)`."""
    return mul(full_like(x, factor), mul(t, exp(neg(square(x)))))


erf = unary(
    "erf",
    in_single(special_function("erf")),
    accepts="float",
    jvp=lambda t, y, x: _gaussian(2 / math.sqrt(math.pi), t, x),
    ulp=4,
    compiled_from=SLOW_IN_NUMPY,
)
erfc = unary(
    "erfc",
    in_single(special_function("erfc")),
    accepts="float",
    jvp=lambda t, y, x: _gaussian(-2 / math.sqrt(math.pi), t, x),
    ulp=4,
    compiled_from=SLOW_IN_NUMPY,
)
erf_inv = unary(
    "erf_inv",
    # SciPy's float32 function loses the sign of zero.
    in_single(lambda x: np.copysign(_ERFINV(x), x)),
    accepts="float",
    jvp=lambda t, y, x: mul(full_like(x, math.sqrt(math.pi) / 2), mul(t, exp(square(y)))),
    domain=(-0.8, 0.8),
    special=(*EDGES, 1.0, -1.0, 2.0),
    ulp=4,
    compiled_from=SLOW_IN_NUMPY,
)
lgamma = unary(
    "lgamma",
    # The limit at minus infinity is taken as in C.
    in_single(lambda x: np.where(np.isinf(x), np.abs(x), _GAMMALN(x))),
    accepts="float",
    jvp=lambda t, y, x: mul(t, digamma(x)),
    domain=(2.5, 6.0),
    special=(*EDGES, -1.0, 1.0, 2.0, 0.5),
    ulp=8,
    compiled_from=SLOW_IN_NUMPY,
)
digamma: Primitive = unary(
    "digamma",
    # The pole at 0 is NaN, as those at -1, -2, ... are.
    in_single(lambda x: np.where(x == 0, np.full_like(x, np.nan), _PSI(x))),
    accepts="float",
    jvp=lambda t, y, x: mul(t, polygamma(full_like(x, 1), x)),
    domain=(2.0, 6.0),
    special=(*EDGES, -1.0, 1.0, 2.0, 0.5),
    ulp=8,
    compiled_from=SLOW_IN_NUMPY,
)


def _no_order_derivative(t: Any, z: Any, m: Any, x: Any) -> Any:
    raise errors.GradError(
        "expected polygamma to be differentiated with respect to x",
        f"its order m, of type {aval_of(m)}",
        why="the order is a whole number",
        instead="xform.lax.stop_gradient(m)",
    )


def _draw_polygamma(rng: Any, dtype: Any) -> Any:
    shape = ((7,), (), (3, 0), (2, 5))[rng.integers(4)]
    order = np.asarray(rng.integers(0, 4, shape)).astype(dtype)
    return [order, np.asarray(rng.uniform(1.0, 4.0, shape)).astype(dtype)], {}


polygamma: Primitive = define(
    "polygamma",
    abstract_eval=elementwise_aval("polygamma", "float"),
    impl=in_single(lambda m, x: _POLYGAMMA(m, x)),
    jvp=(
        _no_order_derivative,
        lambda t, z, m, x: mul(t, polygamma(add(m, full_like(m, 1)), x)),
    ),
    transpose=NOT_LINEAR,
    batch=elementwise,
    lower=Opaque(),
    domain=Domain(draw=_draw_polygamma),
    ulp=16,
)
