"""Statements with functions in them: loops, branches, maps and calls, nested in each other.

Each draws its functions within a scope of their own, sees the values around by closure, and gives
the values it makes, or None where nothing came of it.
"""

from collections.abc import Sequence

import numpy as np

import xform.numpy as xnp
from tests.programs.arithmetic import picked
from tests.programs.building import Builder, Scope, first_row, listed
from tests.programs.values import Known, Line, numbers

LONGEST = (8, 4, 3)  # loops at each depth
LARGEST_MAPPED = 40


def _carries(b: Builder, scope: Scope, most: int, least: int = 0) -> list[tuple[Known, Known]]:
    """Initial values, and what the loop calls them. Floats stay exact in some loops only."""
    found: list[tuple[Known, Known]] = []
    for _ in b.draw.several(most, least):
        k = picked(b.draw, scope.pool, lambda k: not (b.smooth and k.dtype == "float32"))
        assert k is not None
        exact = k.exact and (not k.is_float or (b.draw.flag() and not scope.traced))
        found.append((k, b.param(k, exact=exact)))
    return found


def _longest(scope: Scope) -> int:
    return LONGEST[min(scope.depth, len(LONGEST) - 1)]


def _slices(b: Builder, scope: Scope, most: int) -> tuple[int, list[str], list[Known]]:
    """The length of a scan, the texts of what it goes over, and its slices."""
    longest = _longest(scope)
    first = picked(b.draw, scope.pool, lambda k: k.ndim > 0 and k.shape[0] <= longest)
    if first is None or not b.draw.below(3):
        length = b.draw.pick(tuple(n for n in (3, 2, 4, 1, 5, 0, 8) if n <= longest))
        count = 0
    else:
        length, count = first.shape[0], 1 + len(b.draw.several(most - 1))
    texts: list[str] = []
    slices: list[Known] = []
    for n in range(count):
        k = first if not n else picked(b.draw, scope.pool, lambda k: k.shape[:1] == (length,))
        assert k is not None
        texts.append(k.name)
        slices.append(b.param(k, first_row(k)))
    if b.draw.flag():
        texts.append(f"xnp.arange({length})")
        slices.append(b.define(Known(b.fresh(), xnp.asarray(0, dtype="int64"), True, True)))
    return length, texts, slices


def scan(b: Builder, scope: Scope) -> list[Known] | None:
    length, texts, slices = _slices(b, scope, 2)
    carries = _carries(b, scope, 3, least=0 if slices else 1)
    states = [s for _, s in carries]
    inner = scope.within([*states, *slices])
    b.block(inner, 4)
    new = [b.settle(inner, s, states) for s in states]
    rows = [b.draw.recent(inner.pool) for _ in b.draw.several(2, 0 if carries else 1)]
    name = b.fresh("body")
    heads = [*b.unpacked(states, "carry"), *b.unpacked(slices, "xs")]
    returned = f"{listed([k.name for k in new])}, {listed([k.name for k in rows])}"
    lines = b.function(name, heads, "carry, xs", inner, returned)
    outs = [(b.fresh(), s.exact) for s in states]
    ys = [(b.fresh(), k.exact) for k in rows]
    left = f"{listed([n for n, _ in outs])}, {listed([n for n, _ in ys])}"
    xs = listed(texts) if texts else "None"
    initial = listed([k.name for k, _ in carries])
    call = f"lax.scan({name}, {initial}, {xs}, length={length}, reverse={b.draw.flag()})"
    lines.append(Line(f"{left} = {call}", tuple(n for n, _ in outs + ys)))
    return b.run(scope, lines, outs + ys)


def _bound(b: Builder, scope: Scope) -> str:
    """A number of steps: known, or a value of the program below five."""
    k = picked(b.draw, scope.pool, lambda k: k.is_index and not k.ndim)
    longest = min(_longest(scope), 5)
    if k is None or not b.draw.below(3):
        return str(b.draw.pick((3, 2, 1, 4, 5, 0)[: longest + 1]))
    return f"{k.name}.astype('int32') % {longest}"


def fori(b: Builder, scope: Scope) -> list[Known] | None:
    low, high = b.draw.pick(("0", "0", "1")), _bound(b, scope)
    carries = _carries(b, scope, 3, least=1)
    states = [s for _, s in carries]
    index = b.define(Known(b.fresh(), xnp.asarray(int(low), dtype="int32"), True, True))
    inner = scope.within([*states, index], apart=not high.isdigit())
    b.block(inner, 4)
    new = [b.settle(inner, s, states) for s in states]
    name = b.fresh("body")
    heads = [
        Line(f"{index.name} = xnp.asarray(i).astype('int32')", (index.name,)),
        *b.unpacked(states, "state"),
    ]
    lines = b.function(name, heads, "i, state", inner, listed([k.name for k in new]))
    outs = [(b.fresh(), s.exact) for s in states]
    initial = listed([k.name for k, _ in carries])
    call = f"lax.fori_loop({low}, {high}, {name}, {initial})"
    names = tuple(n for n, _ in outs)
    lines.append(Line(f"{listed(names)} = {call}", names))
    return b.run(scope, lines, outs)


def repeat(b: Builder, scope: Scope) -> list[Known] | None:
    """A `while_loop` that ends by a count, or before that by what it has computed."""
    carries = _carries(b, scope, 3, least=1)
    states = [s for _, s in carries]
    zero = xnp.asarray(0, dtype="int64")
    count, counted = (b.define(Known(b.fresh(), zero, True, True)) for _ in range(2))
    test = scope.within([counted, *(b.param(s) for s in states)], apart=True)
    own = test.pool[len(scope.pool) :]
    for _ in b.draw.several(2):
        b.block(test, 1)
    going = f"{counted.name} < {_bound(b, scope)}"
    wanted = picked(
        b.draw,
        test.pool,
        lambda k: (k.is_bool or (k.exact and not k.ndim)) and (k.smooth or not b.smooth),
    )
    if wanted is not None and b.draw.below(3):
        if wanted.is_bool:
            which = b.draw.pick(("any", "all"))
            going = f"({going}) & xnp.{which}({wanted.name})"
        elif not b.smooth:
            going = f"({going}) & ({wanted.name} < {b.draw.between(0, 4)})"
    inner = scope.within([*states, count], apart=True)
    b.block(inner, 4)
    new = [b.settle(inner, s, states) for s in states]
    test_name, name = b.fresh("test"), b.fresh("body")
    lines = b.function(test_name, b.unpacked(own, "state"), "state", test, going)
    returned = listed([f"{count.name} + 1", *(k.name for k in new)])
    lines += b.function(name, b.unpacked([count, *states], "state"), "state", inner, returned)
    outs = [(b.fresh(), True), *((b.fresh(), s.exact) for s in states)]
    initial = listed(["xnp.asarray(0, dtype='int64')", *(k.name for k, _ in carries)])
    names = tuple(n for n, _ in outs)
    lines.append(Line(f"{listed(names)} = lax.while_loop({test_name}, {name}, {initial})", names))
    return b.run(scope, lines, outs)


def _branches(b: Builder, scope: Scope, count: int) -> tuple[list[Line], str, str, list[Known]]:
    """Functions of the same operands with results of the same types: lines, names, operands."""
    operands = [b.draw.recent(scope.pool) for _ in b.draw.several(2)]
    like = [
        Known(k.name, k.value, k.exact and (not k.is_float or b.draw.flag()), k.smooth)
        for k in (b.draw.recent(scope.pool) for _ in b.draw.several(2, 1))
    ]
    names: list[str] = []
    lines: list[Line] = []
    for _ in range(count):
        params = [b.param(k) for k in operands]
        inner = scope.within(params, apart=True)
        for _ in b.draw.several(2):
            b.block(inner, 1)
        returned = listed([b.settle(inner, k).name for k in like])
        names.append(b.fresh("branch"))
        head = ", ".join(k.name for k in params)
        noted = [Line(f"{k.name} = {k.name}", (k.name,)) for k in params if k.exact and k.is_float]
        lines += b.function(names[-1], noted, head, inner, returned)
    return lines, ", ".join(names), "".join(f", {k.name}" for k in operands), like


def cond(b: Builder, scope: Scope) -> list[Known] | None:
    pred = picked(
        b.draw, scope.pool, lambda k: (k.is_bool or k.exact) and (k.smooth or not b.smooth)
    )
    if pred is None or (b.smooth and pred.is_float):
        return None
    text = pred.name if pred.is_bool else f"{pred.name} > {b.draw.between(0, 2)}"
    if pred.ndim:
        text = f"xnp.{b.draw.pick(('any', 'all'))}({text})"
    lines, names, operands, like = _branches(b, scope, 2)
    outs = [(b.fresh(), k.exact) for k in like]
    left = tuple(n for n, _ in outs)
    lines.append(Line(f"{listed(left)} = lax.cond({text}, {names}{operands})", left))
    return b.run(scope, lines, outs)


def switch(b: Builder, scope: Scope) -> list[Known] | None:
    index = picked(b.draw, scope.pool, lambda k: k.is_index)
    if index is None:
        return None
    text = index.name if not index.ndim else f"xnp.sum({index.name})"
    lines, names, operands, like = _branches(b, scope, b.draw.between(2, 4))
    if b.draw.flag():
        text = f"{text} % 4"
    outs = [(b.fresh(), k.exact) for k in like]
    left = tuple(n for n, _ in outs)
    lines.append(Line(f"{listed(left)} = lax.switch({text}, [{names}]{operands})", left))
    return b.run(scope, lines, outs)


def _mapped(b: Builder, scope: Scope, most: int) -> tuple[list[Known], list[Known]]:
    """Values of one leading size, and their slices."""
    first = picked(b.draw, scope.pool, lambda k: k.ndim > 0 and 0 < k.shape[0] <= most)
    if first is None:
        return [], []
    size = first.shape[:1]
    more = [picked(b.draw, scope.pool, lambda k: k.shape[:1] == size) for _ in b.draw.several(1)]
    whole = [first, *(k for k in more if k is not None)]
    return whole, [b.param(k, first_row(k)) for k in whole]


def _called(
    b: Builder, scope: Scope, inner: Scope, params: Sequence[Known], call: str, exact: bool
) -> list[Known] | None:
    """A function of parameters, its outputs, and the call that `call` makes of its name."""
    rows = [b.draw.recent(inner.pool) for _ in b.draw.several(2, 1)]
    name = b.fresh("inner")
    head = ", ".join(k.name for k in params)
    noted = [Line(f"{k.name} = {k.name}", (k.name,)) for k in params if k.exact and k.is_float]
    lines = b.function(name, noted, head, inner, listed([k.name for k in rows]))
    outs = [(b.fresh(), k.exact and (exact or not k.is_float)) for k in rows]
    names = tuple(n for n, _ in outs)
    lines.append(Line(f"{listed(names)} = {call.format(name)}", names))
    return b.run(scope, lines, outs)


def vmap(b: Builder, scope: Scope) -> list[Known] | None:
    """A mapped function; the elements of its named axis may look at each other."""
    whole, params = _mapped(b, scope, LARGEST_MAPPED)
    if not whole:
        return None
    inner = scope.within(params, traced=True)
    named = ""
    if b.draw.flag():
        axis = b.fresh("axis")
        inner.axes = (*scope.axes, (axis, whole[0].shape[0]))
        named = f", axis_name='{axis}'"
    b.block(inner, 4)
    call = f"xform.vmap({{}}{named})({', '.join(k.name for k in whole)})"
    return _called(b, scope, inner, params, call, False)


def mapping(b: Builder, scope: Scope) -> list[Known] | None:
    """`lax.map`, one slice after another or several at a time."""
    whole, params = _mapped(b, scope, _longest(scope))
    if not whole:
        return None
    size = b.draw.pick((None, None, 1, 2, 3))
    inner = scope.within(params, traced=size is not None, apart=size is not None)
    b.block(inner, 3)
    names = listed([k.name for k in whole])
    call = f"lax.map(lambda xs: {{}}(*xs), {names}, batch_size={size})"
    return _called(b, scope, inner, params, call, size is None)


def call(b: Builder, scope: Scope) -> list[Known] | None:
    operands = [b.draw.recent(scope.pool) for _ in b.draw.several(2, 1)]
    kind = b.draw.pick(("jit", "checkpoint"))
    params = [b.param(k) for k in operands]
    inner = scope.within(params, traced=kind == "checkpoint")
    b.block(inner, 4)
    text = f"xform.{kind}({{}})({', '.join(k.name for k in operands)})"
    return _called(b, scope, inner, params, text, kind == "jit")


STRUCTURED = (scan, fori, repeat, cond, scan, fori, switch, mapping, vmap, call)

_SHAPES = (
    (3,), (), (2, 3), (4,), (300,), (3, 3), (1,), (8,), (5, 2), (17,), (0,), (2, 3, 4), (40, 5),
    (65,), (20, 3), (12, 12), (3, 20), (9, 2), (24, 2), (0, 3), (7, 7), (3, 100), (16,), (4, 0),
)  # fmt: skip


def drawn_input(b: Builder, position: int) -> Known:
    """An input; the shapes are those that reach registers, lanes and memory."""
    dtype = b.draw.pick(("float64", "int32", "float32", "float64", "bool", "int64", "uint8"))
    if b.smooth and (dtype == "float32" or not position):
        dtype = "float64"
    value = numbers(b.draw.pick(_SHAPES), dtype, b.draw.below(50))
    return b.define(Known(f"x{position}", xnp.asarray(np.asarray(value)), True, True))
