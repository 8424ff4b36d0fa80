"""Random well-typed programs, as Python text that can be read, run, and kept as a test.

A program is drawn statement by statement. Each statement is run eagerly as it is drawn, so that the
next one knows the shapes, the dtypes and the numbers it can use.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import xform.numpy as xnp
from xform import lax

Draw = Callable[[st.SearchStrategy[Any]], Any]

GRID = 2.0**-6  # numbers on this grid, and smaller than LARGEST, are computed without rounding
LARGEST = 2.0**9
MOST_ELEMENTS = 400
FLOATS = ("float64", "float32")
INTEGERS = ("int32", "int64", "uint8")


@dataclass
class Known:
    """A value of the program being drawn. An exact one is the same however it is computed."""

    name: str
    value: Any
    exact: bool
    smooth: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def dtype(self) -> str:
        return str(self.value.dtype)

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    @property
    def is_bool(self) -> bool:
        return self.dtype == "bool"


@dataclass
class Program:
    """The text of a function of some inputs, and the function."""

    inputs: list[np.ndarray]
    statements: list[str]
    outputs: list[str]
    smooth: bool
    exact: list[bool] = field(default_factory=list)
    precision: str = "float64"  # the shortest float that any value of it goes through

    @property
    def text(self) -> str:
        names = ", ".join(f"x{k}" for k in range(len(self.inputs)))
        lines = [f"def f({names}):", *(f"    {s}" for s in self.statements)]
        lines.append(f"    return ({', '.join(self.outputs)},)")
        return "\n".join(lines)

    @property
    def function(self) -> Callable[..., Any]:
        return defined(self.text)

    def __repr__(self) -> str:
        given = [f"np.{np.array_repr(x)}" for x in self.inputs]
        return f"{self.text}\n\nf({', '.join(given)})"


def defined(text: str) -> Callable[..., Any]:
    """The function `f` that a text defines."""
    space = {"xnp": xnp, "lax": lax, "np": np}
    exec(compile(text, "<program>", "exec"), space)
    return space["f"]


# -- inputs -------------------------------------------------------------------------------------

_EXTENTS = st.sampled_from((2, 3, 1, 4, 5, 3, 8, 17, 4, 0))


def _shape(draw: Draw) -> tuple[int, ...]:
    rank = draw(st.sampled_from((1, 2, 0, 3)))
    shape = tuple(draw(_EXTENTS) for _ in range(rank))
    return shape if math.prod(shape) <= MOST_ELEMENTS else shape[:1]


def numbers(shape: Sequence[int], dtype: str, seed: int) -> np.ndarray:
    """An array of small exact numbers, different for each seed."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype == "uint8":
        return rng.integers(0, 6, shape).astype(dtype)
    whole = rng.integers(-8, 9, shape)
    return (whole / 4).astype(dtype) if dtype in FLOATS else whole.astype(dtype)


def _input(draw: Draw, position: int) -> Known:
    dtype = draw(st.sampled_from((*FLOATS, "float64", "int32", "bool", "uint8")))
    shape = _shape(draw)
    return Known(f"x{position}", numbers(shape, dtype, draw(st.integers(0, 50))), True, True)


# -- statements ---------------------------------------------------------------------------------
#
# Each draws one right-hand side for the values there are: (text, exact, smooth), or None where no
# value fits. `exact` says whether exact operands give exact results; `smooth`, whether the
# operator has a derivative everywhere.

Statement = tuple[str, list[Known], bool, bool]


def _pick(draw: Draw, pool: Sequence[Known], fits: Callable[[Known], bool]) -> Known | None:
    found = [k for k in pool if fits(k)]
    # The last values first: programs become deep rather than wide.
    return draw(st.sampled_from(found[::-1])) if found else None


def _unary_smooth(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.is_float)
    if x is None:
        return None
    form = draw(
        st.sampled_from(
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
                "xnp.exp(xnp.minimum({0}, 2.0))",
            )
        )
    )
    return form.format(x.name), [x], False, "minimum" not in form


def _unary_exact(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.is_float)
    if x is None:
        return None
    form = draw(st.sampled_from(("-{0}", "xnp.square({0})", "2.0 * {0}", "{0} - 0.5", "{0} ** 3")))
    return form.format(x.name), [x], True, True


def _unary_kinked(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: not k.is_bool and k.exact)
    if x is None:
        return None
    forms = ["xnp.abs({0})", "xnp.maximum({0}, 0)", "xnp.clip({0}, 0, 2)"]
    if x.is_float:
        forms += ["xnp.floor({0})", "xnp.sign({0})", "xnp.round({0})", "xnp.ceil({0})"]
    else:
        forms += ["{0} // 3", "{0} % 3", "{0} & 5", "{0} ^ 3", "{0} << 1", "{0} >> 1"]
    return draw(st.sampled_from(forms)).format(x.name), [x], True, False


def _binary(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: not k.is_bool)
    if x is None:
        return None
    y = _pick(draw, pool, lambda k: not k.is_bool and _broadcast(x.shape, k.shape))
    assert y is not None
    forms = ["{0} + {1}", "{0} - {1}", "{0} * {1}"]
    kinked = x.exact and y.exact
    if kinked:
        forms += ["xnp.maximum({0}, {1})", "xnp.minimum({0}, {1})"]
    form = draw(st.sampled_from(forms))
    return form.format(x.name, y.name), [x, y], True, "imum" not in form


def _broadcast(a: Sequence[int], b: Sequence[int]) -> bool:
    try:
        return math.prod(np.broadcast_shapes(a, b)) <= MOST_ELEMENTS
    except ValueError:
        return False


def _compare(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.exact)
    if x is None:
        return None
    y = _pick(draw, pool, lambda k: k.exact and _broadcast(x.shape, k.shape))
    assert y is not None
    sign = draw(st.sampled_from(("<", "<=", "==", "!=", ">", ">=")))
    return f"{x.name} {sign} {y.name}", [x, y], True, False


def _logic(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.is_bool)
    if x is None:
        return None
    y = _pick(draw, pool, lambda k: k.is_bool and _broadcast(x.shape, k.shape))
    assert y is not None
    form = draw(st.sampled_from(("{0} & {1}", "{0} | {1}", "{0} ^ {1}", "~{0}")))
    return form.format(x.name, y.name), [x, y], True, False


def _where(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    c = _pick(draw, pool, lambda k: k.is_bool)
    if c is None:
        return None
    x = _pick(draw, pool, lambda k: not k.is_bool and _broadcast(c.shape, k.shape))
    if x is None:
        return None
    shape = np.broadcast_shapes(c.shape, x.shape)
    y = _pick(draw, pool, lambda k: not k.is_bool and _broadcast(shape, k.shape))
    assert y is not None
    return f"xnp.where({c.name}, {x.name}, {y.name})", [c, x, y], True, c.smooth


def _convert(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: True)
    assert x is not None
    # Rounding to float32 turns derivatives into noise for differences; integers have none.
    targets = ["float64", "float32"]
    if x.exact:
        targets += ["int32", "int64", "bool"]
    target = draw(st.sampled_from(targets))
    return f"{x.name}.astype('{target}')", [x], True, target == "float64"


def _axes(draw: Draw, x: Known) -> Any:
    if not x.ndim or draw(st.booleans()):
        return None
    chosen = draw(st.sets(st.integers(0, x.ndim - 1), min_size=1))
    axes = tuple(a - x.ndim if draw(st.booleans()) else a for a in sorted(chosen))
    return axes[0] if len(axes) == 1 else axes


def _reduce(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: True)
    assert x is not None
    axes = _axes(draw, x)
    names = ["any", "all"] if x.is_bool else ["sum", "prod", "mean"]
    ordered = x.exact and not x.is_bool and not _empty_reduction(x, axes)
    if ordered:
        names += ["max", "min"]
        if not isinstance(axes, tuple):
            names += ["argmax", "argmin"]
    name = draw(st.sampled_from(names))
    keep = ", keepdims=True" if draw(st.booleans()) else ""
    smooth = name in ("sum", "prod", "mean")
    exact = name not in ("prod", "mean")
    return f"xnp.{name}({x.name}, axis={axes}{keep})", [x], exact, smooth


def _empty_reduction(x: Known, axes: Any) -> bool:
    every = range(x.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    return any(x.shape[a] == 0 for a in every)


def _cumulative(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0 and not k.is_bool)
    if x is None:
        return None
    axis = draw(st.integers(0, x.ndim - 1))
    names = ["cumsum", "cumprod"] + (["cummax", "cummin"] if x.exact else [])
    name = draw(st.sampled_from(names))
    if name.startswith("cumm"):
        reverse = draw(st.booleans())
        return f"lax.{name}({x.name}, axis={axis}, reverse={reverse})", [x], True, False
    return f"xnp.{name}({x.name}, axis={axis})", [x], name == "cumsum", True


def _sort(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0 and k.exact and not k.is_bool)
    if x is None:
        return None
    axis = draw(st.integers(-1, x.ndim - 1))
    name = draw(st.sampled_from(("sort", "argsort")))
    return f"xnp.{name}({x.name}, axis={axis})", [x], True, False


def _reshape(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: True)
    assert x is not None
    size = math.prod(x.shape)
    options = {(size,), (1, size), (size, 1), x.shape[::-1], (*x.shape, 1)}
    options |= {(d, size // d) for d in (2, 3, 4, 5) if size % d == 0}
    options |= {(d, e, size // d // e) for d in (2, 3) for e in (2, 4) if size % (d * e) == 0}
    shape = draw(st.sampled_from(sorted(options)))
    return f"xnp.reshape({x.name}, {shape})", [x], True, True


def _transpose(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 1)
    if x is None:
        return None
    order = tuple(draw(st.permutations(range(x.ndim))))
    return f"xnp.transpose({x.name}, {order})", [x], True, True


def _view(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0)
    if x is None:
        return None
    axis = draw(st.integers(0, x.ndim - 1))
    extent = x.shape[axis]
    kind = draw(st.sampled_from(("slice", "flip", "roll", "pad", "index", "expand", "repeat")))
    if kind == "flip":
        return f"xnp.flip({x.name}, {axis})", [x], True, True
    if kind == "roll":
        return f"xnp.roll({x.name}, {draw(st.integers(-3, 3))}, {axis})", [x], True, True
    if kind == "expand":
        return f"xnp.expand_dims({x.name}, {axis})", [x], True, True
    if kind == "repeat":
        return f"xnp.repeat({x.name}, 2, axis={axis})", [x], True, True
    if kind == "index":
        if not extent:
            return None
        at = draw(st.integers(-extent, extent - 1))
        colons = ", ".join([":"] * axis + [str(at)])
        return f"{x.name}[{colons}]", [x], True, True
    if kind == "pad":
        return _pad(draw, x)
    start = draw(st.integers(0, extent))
    stop = draw(st.integers(start, extent))
    step = draw(st.sampled_from((1, 2, 3, -1)))
    part = f"{start}:{stop}:{step}" if step > 0 else f"{stop}:{start}:-1"
    return f"{x.name}[{', '.join([':'] * axis + [part])}]", [x], True, True


def _pad(draw: Draw, x: Known) -> Statement | None:
    if x.is_bool:
        return None
    amounts = []
    for extent in x.shape:
        inner = draw(st.integers(0, 2)) if extent else 0
        full = extent + inner * max(0, extent - 1)
        low = draw(st.integers(-min(2, full), 2))
        high = draw(st.integers(-min(2, full + min(low, 0)), 2))
        amounts.append((low, high, inner))
    fill = f"xnp.asarray(1, dtype='{x.dtype}')"
    return f"lax.pad({x.name}, {fill}, {tuple(amounts)})", [x], True, True


def _join(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0)
    if x is None:
        return None
    axis = draw(st.integers(0, x.ndim - 1))

    def fits(k: Known) -> bool:
        mine = x.shape[:axis] + x.shape[axis + 1 :]
        theirs = k.shape[:axis] + k.shape[axis + 1 :]
        return k.ndim == x.ndim and mine == theirs

    y = _pick(draw, pool, fits)
    assert y is not None
    if x.shape == y.shape and draw(st.booleans()):
        return f"xnp.stack(({x.name}, {y.name}), axis={axis})", [x, y], True, True
    return f"xnp.concatenate(({x.name}, {y.name}), axis={axis})", [x, y], True, True


def _gather(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape)
    i = _pick(draw, pool, lambda k: k.dtype in INTEGERS and k.exact and k.ndim < 3)
    if x is None or i is None:
        return None
    size = math.prod(x.shape[1:]) * math.prod(i.shape)
    if size > MOST_ELEMENTS:
        return None
    form = draw(
        st.sampled_from(
            (
                "{0}[{1}]",
                "xnp.take({0}, {1}, axis=0, mode='clip')",
                "xnp.take({0}, {1}, axis=0, mode='wrap')",
            )
        )
    )
    if form == "{0}[{1}]":
        # Eagerly an index out of range raises; inside, it is an index into what there is.
        form = f"{{0}}[{{1}} % {x.shape[0]}]"
    return form.format(x.name, i.name), [x, i], True, True


def _scatter(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape and k.is_float)
    i = _pick(draw, pool, lambda k: k.dtype in INTEGERS and k.exact and k.ndim == 1)
    if x is None or i is None:
        return None
    # `set` at the same place twice leaves the order open, so its updates are equal.
    name, update = draw(st.sampled_from((("add", "0.5"), ("set", "1.5"), ("multiply", "2.0"))))
    row = f"xnp.cos({x.name}[0])" if name == "add" and draw(st.booleans()) else update
    where = f"{i.name} % {x.shape[0]}"
    return f"{x.name}.at[{where}].{name}({row})", [x, i], row == update, True


def _dynamic(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape)
    i = _pick(draw, pool, lambda k: k.dtype in INTEGERS and k.exact and not k.ndim)
    if x is None or i is None:
        return None
    extent = x.shape[0]
    size = draw(st.integers(1, extent))
    if draw(st.booleans()):
        return f"lax.dynamic_slice_in_dim({x.name}, {i.name}, {size})", [x, i], True, True
    part = f"lax.slice_in_dim({x.name}, {extent - size}, {extent})"
    text = f"lax.dynamic_update_slice_in_dim({x.name}, {part}, {i.name}, 0)"
    return text, [x, i], True, True


def _dot(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim in (1, 2) and not k.is_bool)
    if x is None:
        return None
    y = _pick(
        draw,
        pool,
        lambda k: k.ndim in (1, 2) and not k.is_bool and k.shape[0] == x.shape[-1],
    )
    if y is None:
        return f"{x.name} @ xnp.transpose({x.name})", [x], True, True
    return f"{x.name} @ {y.name}", [x, y], True, True


def _einsum(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.ndim == 3 and k.is_float)
    if x is None:
        return None
    spec = draw(st.sampled_from(("bij,bkj->bik", "bij,bij->bi", "bij,cij->bc", "bij,bik->kj")))
    return f"xnp.einsum('{spec}', {x.name}, {x.name})", [x], True, True


def _softmax(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = _pick(draw, pool, lambda k: k.is_float and k.ndim > 0 and k.shape[-1] > 0)
    if x is None:
        return None
    shifted = f"{x.name} - xnp.max({x.name}, axis=-1, keepdims=True)"
    total = f"xnp.sum(xnp.exp({shifted}), axis=-1, keepdims=True)"
    return f"xnp.exp({shifted}) / {total}", [x], False, False


STATEMENTS = (
    _unary_smooth,
    _unary_exact,
    _binary,
    _reduce,
    _view,
    _reshape,
    _transpose,
    _join,
    _where,
    _compare,
    _logic,
    _convert,
    _unary_kinked,
    _gather,
    _scatter,
    _dynamic,
    _dot,
    _einsum,
    _cumulative,
    _sort,
    _softmax,
)


def _on_grid(value: Any) -> bool:
    x = np.asarray(value)
    if x.dtype.kind != "f":
        return True
    scaled = np.asarray(x, np.float64) / GRID
    fine = np.isfinite(x) & (np.abs(x) <= LARGEST) & (scaled == np.round(scaled))
    return bool(np.all(fine))


def _is_tame(value: Any) -> bool:
    """Whether a value leaves room for what may be computed from it."""
    x = np.asarray(value)
    if x.size > MOST_ELEMENTS:
        return False
    return x.dtype.kind != "f" or bool(np.all(np.isfinite(x) & (np.abs(x) <= 1e4)))


@st.composite
def programs(draw: Draw, most: int = 12, smooth: bool = False) -> Program:
    """Programs of at most `most` statements; with `smooth`, differentiable and in float64."""
    count = draw(st.sampled_from((1, 2, 3)))
    inputs = [_input(draw, k) for k in range(count)]
    if smooth:
        inputs[0].value = inputs[0].value.astype("float64")
    pool = list(inputs)
    space = {"xnp": xnp, "lax": lax}
    statements: list[str] = []
    for _ in range(draw(st.sampled_from(range(1, most + 1)))):
        drawn = draw(st.sampled_from(STATEMENTS))(draw, pool)
        if drawn is None:
            continue
        text, operands, keeps_exact, is_smooth = drawn
        floats = [k for k in operands if k.is_float]
        if smooth and ((floats and not is_smooth) or any(k.dtype == "float32" for k in floats)):
            continue
        space |= {k.name: xnp.asarray(k.value) for k in operands}
        value = eval(text, space)
        if not _is_tame(value):
            continue
        name = f"v{len(statements)}"
        exact = keeps_exact and all(k.exact for k in operands) and _on_grid(value)
        known = Known(name, value, exact, is_smooth and all(k.smooth for k in operands))
        statements.append(f"{name} = {text}")
        pool.append(known)
    made = pool[count:] or pool[-1:]
    others = draw(st.lists(st.sampled_from(made), max_size=2))
    outputs = list({k.name: k for k in (made[-1], *others)}.values())
    return Program(
        [np.asarray(k.value) for k in inputs],
        statements,
        [k.name for k in outputs],
        smooth,
        [k.exact for k in outputs],
        "float32" if any(k.dtype == "float32" for k in pool) else "float64",
    )
