"""Statements that compute: elementwise operators, reductions, products.

Each function draws one right-hand side for the values there are: (text, operands, exact, smooth),
or None where no value fits. `exact` says whether exact operands give exact results; `smooth`,
whether the operator has a derivative everywhere.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.programs.drawing import Draw
from tests.programs.values import MOST_ELEMENTS, Known

Statement = tuple[str, list[Known], bool, bool]


def picked(draw: Draw, pool: Sequence[Known], fits: Callable[[Known], bool]) -> Known | None:
    found = [k for k in pool if fits(k)]
    return draw.recent(found) if found else None


def fit_together(a: Sequence[int], b: Sequence[int]) -> bool:
    try:
        return math.prod(np.broadcast_shapes(a, b)) <= MOST_ELEMENTS
    except ValueError:
        return False


def _unary_smooth(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.is_float)
    if x is None:
        return None
    form = draw.pick(
        (
            "xnp.sin({0})",
            "xnp.cos({0})",
            "xnp.tanh({0})",
            "xnp.exp(-xnp.square({0}))",
            "xnp.log1p(xnp.square({0}))",
            "xnp.sqrt(1.5 + xnp.square({0}))",
            "lax.logistic({0})",
            "xnp.arctan({0})",
            "1.0 / (2.0 + xnp.square({0}))",
            "bent({0})",
            "xnp.exp(xnp.minimum({0}, 2.0))",
        )
    )
    return form.format(x.name), [x], False, "minimum" not in form


def _unary_exact(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.is_float)
    if x is None:
        return None
    form = draw.pick(("-{0}", "xnp.square({0})", "2.0 * {0}", "{0} - 0.5", "{0} ** 3"))
    return form.format(x.name), [x], True, True


def _unary_kinked(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: not k.is_bool and k.exact)
    if x is None:
        return None
    forms = ["xnp.abs({0})", "xnp.maximum({0}, 0)", "xnp.clip({0}, 0, 2)"]
    if x.is_float:
        forms += ["xnp.floor({0})", "xnp.sign({0})", "xnp.round({0})", "xnp.ceil({0})"]
    else:
        forms += ["{0} // 3", "{0} % 3", "{0} & 5", "{0} ^ 3", "{0} << 1", "{0} >> 1"]
    return draw.pick(forms).format(x.name), [x], True, False


def _binary(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: not k.is_bool)
    if x is None:
        return None
    y = picked(draw, pool, lambda k: not k.is_bool and fit_together(x.shape, k.shape))
    assert y is not None
    forms = ["{0} + {1}", "{0} - {1}", "{0} * {1}"]
    kinked = x.exact and y.exact
    if kinked:
        forms += ["xnp.maximum({0}, {1})", "xnp.minimum({0}, {1})"]
    form = draw.pick(forms)
    return form.format(x.name, y.name), [x, y], True, "imum" not in form


def _compare(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.exact)
    if x is None:
        return None
    y = picked(draw, pool, lambda k: k.exact and fit_together(x.shape, k.shape))
    assert y is not None
    sign = draw.pick(("<", "<=", "==", "!=", ">", ">="))
    return f"{x.name} {sign} {y.name}", [x, y], True, False


def _logic(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.is_bool)
    if x is None:
        return None
    y = picked(draw, pool, lambda k: k.is_bool and fit_together(x.shape, k.shape))
    assert y is not None
    form = draw.pick(("{0} & {1}", "{0} | {1}", "{0} ^ {1}", "~{0}"))
    return form.format(x.name, y.name), [x, y], True, False


def _where(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    c = picked(draw, pool, lambda k: k.is_bool)
    if c is None:
        return None
    x = picked(draw, pool, lambda k: not k.is_bool and fit_together(c.shape, k.shape))
    if x is None:
        return None
    shape = np.broadcast_shapes(c.shape, x.shape)
    y = picked(draw, pool, lambda k: not k.is_bool and fit_together(shape, k.shape))
    assert y is not None
    return f"xnp.where({c.name}, {x.name}, {y.name})", [c, x, y], True, c.smooth


def _convert(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: True)
    assert x is not None
    # Rounding to float32 turns derivatives into noise for differences; integers have none.
    targets = ["float64", "float32"]
    if x.exact:
        targets += ["int32", "int64", "bool"]
    target = draw.pick(targets)
    return f"{x.name}.astype('{target}')", [x], True, target == "float64"


def _axes(draw: Draw, x: Known) -> Any:
    if not x.ndim or draw.flag():
        return None
    axes = tuple(a - x.ndim if draw.flag() else a for a in draw.some_of(x.ndim))
    return axes[0] if len(axes) == 1 else axes


def _reduce(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: True)
    assert x is not None
    axes = _axes(draw, x)
    names = ["any", "all"] if x.is_bool else ["sum", "prod", "mean"]
    ordered = x.exact and not x.is_bool and not _empty_reduction(x, axes)
    if ordered:
        names += ["max", "min"]
        if not isinstance(axes, tuple):
            names += ["argmax", "argmin"]
    name = draw.pick(names)
    keep = ", keepdims=True" if draw.flag() else ""
    smooth = name in ("sum", "prod", "mean")
    exact = name not in ("prod", "mean")
    return f"xnp.{name}({x.name}, axis={axes}{keep})", [x], exact, smooth


def _empty_reduction(x: Known, axes: Any) -> bool:
    every = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    return any(x.shape[a] == 0 for a in every)


def _cumulative(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0 and not k.is_bool)
    if x is None:
        return None
    axis = draw.between(0, x.ndim - 1)
    names = ["cumsum", "cumprod"] + (["cummax", "cummin"] if x.exact else [])
    name = draw.pick(names)
    if name.startswith("cumm"):
        reverse = draw.flag()
        return f"lax.{name}({x.name}, axis={axis}, reverse={reverse})", [x], True, False
    return f"xnp.{name}({x.name}, axis={axis})", [x], name == "cumsum", True


def _dot(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim in (1, 2) and not k.is_bool)
    if x is None:
        return None
    y = picked(
        draw,
        pool,
        lambda k: k.ndim in (1, 2) and not k.is_bool and k.shape[0] == x.shape[-1],
    )
    if y is None:
        return f"{x.name} @ xnp.transpose({x.name})", [x], True, True
    return f"{x.name} @ {y.name}", [x, y], True, True


def _einsum(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim == 3 and k.is_float)
    if x is None:
        return None
    spec = draw.pick(("bij,bkj->bik", "bij,bij->bi", "bij,cij->bc", "bij,bik->kj"))
    return f"xnp.einsum('{spec}', {x.name}, {x.name})", [x], True, True


def _softmax(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.is_float and k.ndim > 0 and k.shape[-1] > 0)
    if x is None:
        return None
    shifted = f"{x.name} - xnp.max({x.name}, axis=-1, keepdims=True)"
    total = f"xnp.sum(xnp.exp({shifted}), axis=-1, keepdims=True)"
    return f"xnp.exp({shifted}) / {total}", [x], False, False


def _integers(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    """Whole numbers: wrapped, shifted, compared with others, or made from what is exact."""
    x = picked(draw, pool, lambda k: k.is_index)
    if x is None:
        return None
    y = picked(draw, pool, lambda k: k.is_index and fit_together(x.shape, k.shape))
    assert y is not None
    forms = (
        "({0} + {1}) % 7",
        "{0} - {1}",
        "({0} * 5 + 3) % 11",
        "{0} & {1}",
        "xnp.minimum({0}, {1})",
        "{0} // (1 + ({1} % 4))",
    )
    return draw.pick(forms).format(x.name, y.name), [x, y], True, False


def _associative(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0 and not k.is_bool)
    if x is None:
        return None
    forms = ["xnp.add", "xnp.multiply"]
    # (1 + a/4) (1 + b/4) = 1 + (a + b + ab/4) / 4 makes this one associative.
    forms += ["lambda a, b: a + b + 0.25 * a * b"] if x.is_float else []
    forms += ["xnp.maximum"] if x.exact else []
    name = draw.pick(forms)
    text = f"lax.associative_scan({name}, {x.name}, reverse={draw.flag()}, axis={x.ndim - 1})"
    return text, [x], name in ("xnp.add", "xnp.maximum"), name != "xnp.maximum"


def _batched_dot(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim == 3 and k.is_float)
    if x is None:
        return None
    y = picked(draw, pool, lambda k: k.is_float and k.ndim == 2 and k.shape[0] == x.shape[2])
    if y is None or x.size // max(1, x.shape[2]) * y.shape[1] > MOST_ELEMENTS:
        return f"xnp.matmul({x.name}, xnp.swapaxes({x.name}, 1, 2))", [x], True, True
    return f"{x.name} @ {y.name}", [x, y], True, True


COMPUTING = (
    _unary_smooth,
    _unary_exact,
    _binary,
    _reduce,
    _where,
    _compare,
    _logic,
    _convert,
    _unary_kinked,
    _integers,
    _dot,
    _einsum,
    _batched_dot,
    _cumulative,
    _associative,
    _softmax,
)
