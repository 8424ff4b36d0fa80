"""Statements that move elements: views, joins, gathers, updates at places from data, sorting.

They are drawn as those of `arithmetic.py` are.
"""

import math
from collections.abc import Sequence

from tests.programs.arithmetic import Statement, picked
from tests.programs.drawing import Draw
from tests.programs.values import MOST_ELEMENTS, Known


def _sort(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0 and k.exact and not k.is_bool)
    if x is None:
        return None
    axis = draw.between(-1, x.ndim - 1)
    name = draw.pick(("sort", "argsort"))
    return f"xnp.{name}({x.name}, axis={axis})", [x], True, False


def _reshape(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: True)
    assert x is not None
    size = math.prod(x.shape)
    options = {(size,), (1, size), (size, 1), x.shape[::-1], (*x.shape, 1)}
    options |= {(d, size // d) for d in (2, 3, 4, 5) if size % d == 0}
    options |= {(d, e, size // d // e) for d in (2, 3) for e in (2, 4) if size % (d * e) == 0}
    shape = draw.pick(sorted(options))
    return f"xnp.reshape({x.name}, {shape})", [x], True, True


def _transpose(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 1)
    if x is None:
        return None
    order = draw.order(x.ndim)
    return f"xnp.transpose({x.name}, {order})", [x], True, True


def _view(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0)
    if x is None:
        return None
    axis = draw.between(0, x.ndim - 1)
    extent = x.shape[axis]
    kind = draw.pick(("slice", "flip", "roll", "pad", "index", "expand", "repeat"))
    if kind == "flip":
        return f"xnp.flip({x.name}, {axis})", [x], True, True
    if kind == "roll":
        return f"xnp.roll({x.name}, {draw.between(-3, 3)}, {axis})", [x], True, True
    if kind == "expand":
        return f"xnp.expand_dims({x.name}, {axis})", [x], True, True
    if kind == "repeat":
        return f"xnp.repeat({x.name}, 2, axis={axis})", [x], True, True
    if kind == "index":
        if not extent:
            return None
        at = draw.between(-extent, extent - 1)
        colons = ", ".join([":"] * axis + [str(at)])
        return f"{x.name}[{colons}]", [x], True, True
    if kind == "pad":
        return _pad(draw, x)
    start = draw.between(0, extent)
    stop = draw.between(start, extent)
    step = draw.pick((1, 2, 3, -1))
    part = f"{start}:{stop}:{step}" if step > 0 else f"{stop}:{start}:-1"
    return f"{x.name}[{', '.join([':'] * axis + [part])}]", [x], True, True


def _pad(draw: Draw, x: Known) -> Statement | None:
    if x.is_bool:
        return None
    amounts = []
    for extent in x.shape:
        inner = draw.between(0, 2) if extent else 0
        full = extent + inner * max(0, extent - 1)
        low = draw.between(-min(2, full), 2)
        high = draw.between(-min(2, full + min(low, 0)), 2)
        amounts.append((low, high, inner))
    fill = f"xnp.asarray(1, dtype='{x.dtype}')"
    return f"lax.pad({x.name}, {fill}, {tuple(amounts)})", [x], True, True


def _join(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0)
    if x is None:
        return None
    axis = draw.between(0, x.ndim - 1)

    def fits(k: Known) -> bool:
        mine = x.shape[:axis] + x.shape[axis + 1 :]
        theirs = k.shape[:axis] + k.shape[axis + 1 :]
        return k.ndim == x.ndim and mine == theirs

    y = picked(draw, pool, fits)
    assert y is not None
    if x.shape == y.shape and draw.flag():
        return f"xnp.stack(({x.name}, {y.name}), axis={axis})", [x, y], True, True
    return f"xnp.concatenate(({x.name}, {y.name}), axis={axis})", [x, y], True, True


def _gather(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape)
    i = picked(draw, pool, lambda k: k.is_index and k.ndim < 3)
    if x is None or i is None:
        return None
    size = math.prod(x.shape[1:]) * math.prod(i.shape)
    if size > MOST_ELEMENTS:
        return None
    form = draw.pick(
        (
            "{0}[{1}]",
            "xnp.take({0}, {1}, axis=0, mode='clip')",
            "xnp.take({0}, {1}, axis=0, mode='wrap')",
        )
    )
    if form == "{0}[{1}]":
        # Eagerly an index out of range raises; inside, it is an index into what there is.
        form = f"{{0}}[{place_in(i, x.shape[0])}]"
    return form.format(x.name, i.name), [x, i], True, True


def _scatter(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape and k.is_float)
    i = picked(draw, pool, lambda k: k.is_index and k.ndim == 1)
    if x is None or i is None:
        return None
    # `set` at the same place twice leaves the order open, so its updates are equal.
    name, update = draw.pick((("add", "0.5"), ("set", "1.5"), ("multiply", "2.0")))
    row = f"xnp.cos({x.name}[0])" if name == "add" and draw.flag() else update
    where = place_in(i, x.shape[0])
    return f"{x.name}.at[{where}].{name}({row})", [x, i], row == update, True


def _dynamic(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    x = picked(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape)
    i = picked(draw, pool, lambda k: k.is_index and not k.ndim)
    if x is None or i is None:
        return None
    extent = x.shape[0]
    size = draw.between(1, extent)
    if draw.flag():
        return f"lax.dynamic_slice_in_dim({x.name}, {i.name}, {size})", [x, i], True, True
    part = f"lax.slice_in_dim({x.name}, {extent - size}, {extent})"
    text = f"lax.dynamic_update_slice_in_dim({x.name}, {part}, {i.name}, 0)"
    return text, [x, i], True, True


def place_in(i: Known, extent: int) -> str:
    """The text of an index that stays within an extent."""
    wide = f"{i.name}.astype('int32')" if i.dtype == "uint8" else i.name
    return f"{wide} % {extent}"


def _peek(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    """An element, or a row, at a place that is known only when the program runs."""
    x = picked(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape)
    i = picked(draw, pool, lambda k: k.is_index and not k.ndim)
    if x is None or i is None:
        return None
    axis = draw.between(0, x.ndim - 1)
    colons = ":, " * axis
    at = place_in(i, x.shape[axis])
    if draw.flag():
        at = f"({i.name} - {draw.between(0, 3)}) % {x.shape[axis]}" if i.dtype != "uint8" else at
    forms = [f"{x.name}[{colons}{at}]"]
    if not axis and not x.is_bool:
        forms.append(f"{x.name}.at[{i.name}].get(mode='fill', fill_value=0)")
        forms.append(f"{x.name}.at[{i.name}].get(mode='clip')")
        forms.append(f"lax.dynamic_index_in_dim({x.name}, {i.name}, 0, keepdims=False)")
    return draw.pick(forms), [x, i], True, True


def _poke(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    """An array with an element, or a row, changed at a place known only when the program runs."""
    x = picked(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape and not k.is_bool)
    i = picked(draw, pool, lambda k: k.is_index and not k.ndim)
    if x is None or i is None:
        return None
    return poke(draw, pool, x, i)


def poke(draw: Draw, pool: Sequence[Known], x: Known, i: Known) -> Statement:
    axis = draw.between(0, x.ndim - 1)
    row = x.shape[:axis] + x.shape[axis + 1 :]
    fits = [k for k in pool if k.dtype == x.dtype and k.shape in ((), row)]
    y = draw.recent(fits) if fits and draw.below(4) else None
    value = y.name if y else "1"
    names = ["set", "add"]
    if not (x.is_float and y):
        names.append("multiply")  # which has no derivative in updates that may be at one place
    if _both(x, y):
        names += ["min", "max"]
    name = draw.pick(names)
    colons = ":, " * axis
    if draw.below(3):
        at, mode = place_in(i, x.shape[axis]), ""
    else:
        at, mode = i.name, ", mode='drop'"
    operands = [x, i, *([y] if y else [])]
    smooth = name not in ("min", "max")
    return f"{x.name}.at[{colons}{at}].{name}({value}{mode})", operands, True, smooth


def _both(x: Known, y: Known | None) -> bool:
    return x.exact and (y is None or y.exact)


def _replace(draw: Draw, pool: Sequence[Known]) -> Statement | None:
    """A block of an array replaced by another value, at a place from data; clamped at the end."""
    x = picked(draw, pool, lambda k: k.ndim > 0 and 0 not in k.shape)
    i = picked(draw, pool, lambda k: k.is_index and not k.ndim)
    if x is None or i is None:
        return None

    def fits(k: Known) -> bool:
        small = k.ndim == x.ndim and all(a <= b for a, b in zip(k.shape, x.shape, strict=True))
        return small and k.dtype == x.dtype and 0 not in k.shape

    y = picked(draw, pool, fits)
    assert y is not None
    axis = draw.between(0, x.ndim - 1)
    starts = ", ".join(f"{i.name}" if d == axis else f"{i.name} * 0" for d in range(x.ndim))
    text = f"lax.dynamic_update_slice({x.name}, {y.name}, ({starts},))"
    return text, [x, y, i], True, True


MOVING = (
    _view,
    _reshape,
    _transpose,
    _join,
    _peek,
    _poke,
    _gather,
    _scatter,
    _dynamic,
    _replace,
    _sort,
)
PLACES = (_peek, _poke, _replace)  # what loops do with arrays that they carry
