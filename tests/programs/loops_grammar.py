"""Random programs of loops and branches, nested in each other, as text that can be read and kept.

Floats of a program have one dtype and stay small; branches and trip counts depend on integers only,
so that no rounding decides which way a program goes. Indices are taken modulo the size.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import xform
import xform.numpy as xnp
from xform import lax

Draw = Callable[[st.SearchStrategy[Any]], Any]
Shape = tuple[int, ...]

DEEPEST = 3
MOST_TRIPS = 400  # of the loops around a statement, multiplied: the reference is a loop in Python
MOST_ELEMENTS = 1200


@dataclass
class LoopProgram:
    """The text of a function of floats and one integer, its inputs, and what it allows."""

    inputs: list[np.ndarray]  # the last one is the integer
    lines: list[str]
    outputs: list[str]
    reversible: bool  # false where a trip count is not known when the program is traced

    @property
    def text(self) -> str:
        names = ", ".join([*(f"x{k}" for k in range(len(self.inputs) - 1)), "k"])
        body = [f"    {line}" for line in self.lines]
        return "\n".join([f"def f({names}):", *body, f"    return ({', '.join(self.outputs)},)"])

    @property
    def function(self) -> Callable[..., Any]:
        space = {"xnp": xnp, "lax": lax, "xform": xform}
        exec(compile(self.text, "<program>", "exec"), space)
        return space["f"]

    @property
    def precision(self) -> str:
        return str(self.inputs[0].dtype)

    def __repr__(self) -> str:
        given = ", ".join(f"{x.dtype}{list(x.shape)}" for x in self.inputs)
        return f"{self.text}\n\nf: {given}, k = {self.inputs[-1]}"


@dataclass
class Scope:
    """The values that a block can read: floats by name with their shapes, integers by name."""

    floats: dict[str, Shape]
    integers: list[str]
    trips: int = 1
    depth: int = 0

    def inside(self, trips: int) -> "Scope":
        return Scope(dict(self.floats), list(self.integers), self.trips * trips, self.depth + 1)

    def names(self, shape: Shape) -> list[str]:
        """The names with this shape, the last ones first."""
        return [name for name, s in self.floats.items() if s == shape][::-1]


@dataclass
class Writer:
    """Draws the lines of a program."""

    draw: Draw
    lines: list[str] = field(default_factory=list)
    indent: int = 0
    count: int = 0
    reversible: bool = True
    collective: bool = False  # whether the program runs once for each place of the axis "d"

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    # -- expressions ----------------------------------------------------------------------------

    def any_of(self, scope: Scope, ndim: int | None = None) -> str | None:
        found = [n for n, s in scope.floats.items() if ndim is None or len(s) == ndim][::-1]
        return self.recent(found) if found else None

    def recent(self, names: list[str]) -> str:
        """One of the names, mostly of the first, so that little is computed in vain."""
        return self.one(*names[:3]) if self.one(True, True, False) else self.one(*names)

    def index(self, scope: Scope, size: int) -> str:
        i = self.one(*scope.integers[::-1])
        return self.one(f"{i} % {size}", f"({i} + 1) % {size}", f"(2 * {i} + 1) % {size}")

    def elementwise(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope)
        assert a is not None
        b = self.one(*scope.names(scope.floats[a]))
        form = self.one(
            "xnp.sin({0})", "0.5 * {0}", "{0} * {1}", "{0} + 0.25 * {1}", "xnp.tanh({0} - {1})",
            "{0} - 0.5", "-{0}", "0.5 * ({0} + {1})", "xnp.exp(-{0} ** 2)",
        )  # fmt: skip
        return form.format(a, b), scope.floats[a]

    def scaled(self, scope: Scope) -> tuple[str, Shape] | None:
        a, s = self.any_of(scope), self.any_of(scope, 0)
        assert a is not None
        form = self.one("{1} * {0}", "{0} + {1}", "xnp.where({2} % 2 == 0, {0}, {1})")
        return form.format(a, s, self.one(*scope.integers[::-1])), scope.floats[a]

    def reduced(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope, self.one(1, 2))
        if a is None:
            return None
        shape = scope.floats[a]
        axis = self.one(*range(len(shape)))
        rest = shape[:axis] + shape[axis + 1 :]
        form = self.one("xnp.sum({0}, axis={1}) / {2}", "xnp.sum({0} ** 2, axis={1}) / {2}")
        return form.format(a, axis, shape[axis] + 1), rest

    def read(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope, self.one(1, 2))
        if a is None or scope.floats[a][0] == 0:
            return None
        shape = scope.floats[a]
        if len(shape) == 2 and shape[1] and self.one(False, True):
            return f"{a}[:, {self.index(scope, shape[1])}]", shape[:1]
        return f"{a}[{self.index(scope, shape[0])}]", shape[1:]

    def update(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope, self.one(1, 2))
        if a is None or 0 in scope.floats[a]:
            return None
        shape = scope.floats[a]
        at, inner = self.index(scope, shape[0]), shape[1:]
        if inner:
            way = self.one("row", "element", "column")
            if way == "element":
                at, inner = f"{at}, {self.index(scope, shape[1])}", ()
            elif way == "column":
                at, inner = f":, {self.index(scope, shape[1])}", shape[:1]
        values = scope.names(inner) + scope.names(())
        value = self.one(*values)
        form = self.one(
            "{0}.at[{1}].set({2})", "{0}.at[{1}].add(0.25 * {2})", "{0}.at[{1}].multiply(0.5)",
            "{0}.at[{1}].add({0}[{3}])",
        )  # fmt: skip
        here = form.format(a, at, value, at)
        return here, shape

    def slice_update(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope, self.one(1, 2))
        if a is None or scope.floats[a][0] < 2:
            return None
        size = scope.floats[a][0] // 2
        start = self.index(scope, scope.floats[a][0])
        part = f"lax.dynamic_slice_in_dim({a}, {self.index(scope, size + 1)}, {size})"
        return f"lax.dynamic_update_slice_in_dim({a}, {part}, {start}, 0)", scope.floats[a]

    def view(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope, self.one(1, 2))
        if a is None:
            return None
        shape = scope.floats[a]
        form = self.one("{0}[::-1]", "xnp.roll({0}, 1, axis=0)", "{0}.T", "xnp.cumsum({0}, axis=0)")
        scale = f" / {shape[0] + 1}" if "cumsum" in form else ""
        return form.format(a) + scale, shape[::-1] if ".T" in form else shape

    def product(self, scope: Scope) -> tuple[str, Shape] | None:
        a = self.any_of(scope, 2)
        if a is None:
            return None
        rows, columns = scope.floats[a]
        v = scope.names((columns,))
        forms = [(f"{a} @ {a}.T / {columns + 1}", (rows, rows))]
        if v:
            forms.append((f"{a} @ {self.one(*v)} / {columns + 1}", (rows,)))
        u = scope.names((rows,))
        if u and v:
            forms.append(
                (f"{a} + 0.25 * xnp.outer({self.one(*u)}, {self.one(*v)})", (rows, columns))
            )
        text, shape = self.one(*forms[::-1])
        return (text, shape) if math.prod(shape) <= MOST_ELEMENTS else None

    def exchange(self, scope: Scope) -> tuple[str, Shape] | None:
        """A value that comes from all places of an axis of two; the same code runs at each."""
        a = self.any_of(scope)
        assert a is not None
        shape = scope.floats[a]
        forms = [
            "lax.psum({0}, 'd') / 2", "lax.ppermute({0}, 'd', [(0, 1), (1, 0)])",
            "lax.pmean({0} ** 2, 'd')", "lax.all_gather({0}, 'd')[{1}]",
            "lax.ppermute({0}, 'd', [(1, 0)])",
            "{0} * (1.0 + lax.axis_index('d')).astype({0}.dtype) / 2",
        ]  # fmt: skip
        return self.one(*forms).format(a, self.index(scope, 2)), shape

    def assign(self, scope: Scope) -> None:
        rules = (
            self.elementwise, self.update, self.read, self.scaled, self.reduced, self.product,
            self.view, self.slice_update,
        )  # fmt: skip
        if self.collective:
            rules += (self.exchange,) * 4
        rule = self.one(*rules)
        drawn = rule(scope)
        if drawn is None:
            return
        text, shape = drawn
        name = self.name("v")
        self.line(f"{name} = {text}")
        scope.floats[name] = shape

    # -- loops and branches ---------------------------------------------------------------------

    def block(self, scope: Scope, most: int) -> None:
        for _ in range(self.draw(st.integers(1, most))):
            if scope.depth < DEEPEST and self.one(False, False, True):
                self.nested(scope)
            else:
                self.assign(scope)

    def nested(self, scope: Scope) -> None:
        self.one(
            self.scan, self.fori, self.cond, self.while_loop, self.switch, self.mapped, self.called
        )(scope)

    def started(self, scope: Scope) -> list[str]:
        """Names whose values a loop carries; the same one may be carried twice."""
        return self.draw(st.lists(st.sampled_from([*scope.floats][::-1]), min_size=1, max_size=3))

    def carried_on(self, scope: Scope, carries: list[str]) -> list[str]:
        """What takes each carry's place: anything of its shape, itself and the others too."""
        return [self.output(scope, scope.floats[c]) for c in carries]

    def output(self, scope: Scope, shape: Shape) -> str:
        """A value of the block, or two that are combined as they leave it."""
        names = scope.names(shape)
        form = self.one("{0}", "{0}", "{0} + 0.25 * {1}", "0.5 * {0} - {1}", "{0} * {1}")
        return form.format(self.recent(names), self.one(*names))

    def bind(self, scope: Scope, starts: list[str]) -> list[str]:
        carries = [self.name("c") for _ in starts]
        scope.floats |= {c: scope.floats[s] for c, s in zip(carries, starts, strict=True)}
        return carries

    def results(self, scope: Scope, starts: list[str]) -> list[str]:
        names = [self.name("r") for _ in starts]
        scope.floats |= {r: scope.floats[s] for r, s in zip(names, starts, strict=True)}
        return names

    def scan(self, scope: Scope) -> None:
        left = MOST_TRIPS // scope.trips
        long = [n for n, s in scope.floats.items() if s and s[0] <= left][::-1]
        over = self.draw(st.lists(st.sampled_from(long), max_size=2)) if long else []
        length = scope.floats[over[0]][0] if over else self.one(3, 2, 1, 5, 0)
        over = [n for n in over if scope.floats[n][0] == length]
        starts = self.started(scope)
        inner = scope.inside(max(1, length))
        body, xs = self.name("body"), [self.name("s") for _ in over]
        carries, i, j = self.bind(inner, starts), self.name("i"), self.name("j")
        inner.floats |= {x: scope.floats[n][1:] for x, n in zip(xs, over, strict=True)}
        inner.integers += [i, j]
        self.line(f"def {body}(carry, x):")
        self.indent += 1
        self.line(f"{', '.join([*carries, i])}, = carry")
        self.line(f"{', '.join([*xs, j])}, = x")
        self.block(inner, 4)
        stacked = self.draw(st.lists(st.sampled_from([*inner.floats][::-1]), max_size=2))
        stacked = [y for y in stacked if length * math.prod(inner.floats[y]) <= MOST_ELEMENTS]
        step = self.one(f"{i} + 1", i, f"(3 * {i} + {j}) % 7")
        after = [*self.carried_on(inner, carries), step]
        self.line(f"return ({', '.join(after)},), ({''.join(y + ', ' for y in stacked)})")
        self.indent -= 1
        results, last, ys = self.results(scope, starts), self.name("i"), self.name("ys")
        start = self.one(*scope.integers)
        given = ", ".join([*over, f"xnp.arange({length})"])
        self.line(
            f"({', '.join([*results, last])},), {ys} = lax.scan({body}, "
            f"({', '.join(starts)}, 0 + {start}), ({given},), reverse={self.one(False, True)})"
        )
        scope.integers.append(last)
        for k, y in enumerate(stacked):
            name = self.name("y")
            self.line(f"{name} = {ys}[{k}]")
            scope.floats[name] = (length, *inner.floats[y])

    def fori(self, scope: Scope) -> None:
        starts, body, i = self.started(scope), self.name("body"), self.name("i")
        inner = scope.inside(4)
        carries = self.bind(inner, starts)
        inner.integers.append(i)
        bound = self.one("3", "1", "0", f"{self.one(*scope.integers)} % 4")
        self.reversible &= "%" not in bound
        self.line(f"def {body}({i}, carry):")
        self.indent += 1
        self.line(f"{', '.join(carries)}, = carry")
        self.block(inner, 4)
        self.line(f"return ({', '.join(self.carried_on(inner, carries))},)")
        self.indent -= 1
        results = self.results(scope, starts)
        lower = self.one("0", "-1")
        self.line(
            f"{', '.join(results)}, = lax.fori_loop({lower}, {bound}, {body}, "
            f"({', '.join(starts)},))"
        )

    def while_loop(self, scope: Scope) -> None:
        starts, body, i = self.started(scope), self.name("body"), self.name("i")
        inner = scope.inside(4)
        carries = self.bind(inner, starts)
        inner.integers.append(i)
        self.reversible = False
        self.line(f"def {body}(carry):")
        self.indent += 1
        self.line(f"{', '.join([*carries, i])}, = carry")
        self.block(inner, 4)
        after = [*self.carried_on(inner, carries), f"{i} + {self.one(1, 2)}"]
        self.line(f"return ({', '.join(after)},)")
        self.indent -= 1
        results, last = self.results(scope, starts), self.name("i")
        start = f"{self.one(*scope.integers)} % 5"
        self.line(
            f"{', '.join([*results, last])}, = lax.while_loop(lambda c: c[-1] < "
            f"{self.one(4, 3)}, {body}, ({', '.join(starts)}, {start}))"
        )
        scope.integers.append(last)

    def branch(self, scope: Scope, shapes: list[Shape]) -> str:
        name, inner = self.name("branch"), scope.inside(1)
        self.line(f"def {name}():")
        self.indent += 1
        self.block(inner, 3)
        self.line(f"return ({', '.join(self.output(inner, s) for s in shapes)},)")
        self.indent -= 1
        return name

    def cond(self, scope: Scope) -> None:
        kept = self.started(scope)
        shapes = [scope.floats[n] for n in kept]
        one, other = self.branch(scope, shapes), self.branch(scope, shapes)
        results = self.results(scope, kept)
        which = f"{self.one(*scope.integers[::-1])} % 2 == 0"
        self.line(f"{', '.join(results)}, = lax.cond({which}, {one}, {other})")

    def switch(self, scope: Scope) -> None:
        kept = self.started(scope)
        branches = [self.branch(scope, [scope.floats[n] for n in kept]) for _ in range(3)]
        results = self.results(scope, kept)
        which = f"{self.one(*scope.integers[::-1])} % 3"
        self.line(f"{', '.join(results)}, = lax.switch({which}, [{', '.join(branches)}])")

    def mapped(self, scope: Scope) -> None:
        """The same block for each row: by `vmap`, or by `map`, which is a loop."""
        left = MOST_TRIPS // scope.trips
        long = [n for n, s in scope.floats.items() if s and s[0] <= left][::-1]
        if not long:
            return
        over = self.one(*long)
        length = scope.floats[over][0]
        body, x, inner = self.name("row"), self.name("s"), scope.inside(max(1, length))
        inner.floats[x] = scope.floats[over][1:]
        self.line(f"def {body}({x}):")
        self.indent += 1
        self.block(inner, 3)
        fits = [n for n, s in inner.floats.items() if length * math.prod(s) <= MOST_ELEMENTS]
        kept = self.one(*fits[::-1])
        self.line(f"return {kept}")
        self.indent -= 1
        name = self.name("v")
        form = self.one("xform.vmap({0})({1})", "lax.map({0}, {1})")
        self.line(f"{name} = {form.format(body, over)}")
        scope.floats[name] = (length, *inner.floats[kept])

    def called(self, scope: Scope) -> None:
        """A block in a function that is compiled or differentiated as one."""
        starts, body, inner = self.started(scope), self.name("g"), scope.inside(1)
        names = self.bind(inner, starts)
        self.line(f"def {body}({', '.join(names)}):")
        self.indent += 1
        self.block(inner, 3)
        self.line(f"return ({', '.join(self.carried_on(inner, names))},)")
        self.indent -= 1
        results = self.results(scope, starts)
        how = self.one("jit", "checkpoint")
        self.line(f"{', '.join(results)}, = xform.{how}({body})({', '.join(starts)})")


@st.composite
def loop_programs(draw: Draw, reversible: bool = False, collective: bool = False) -> LoopProgram:
    """Programs with at least one loop or branch; with `reversible`, only known trip counts.

    With `collective`, the inputs have a leading axis of two, the places of the axis "d".
    """
    size = draw(st.sampled_from((3, 4, 2, 8, 17, 40, 300)))
    small = draw(st.sampled_from((2, 3, 1, 4)))
    shapes: list[Shape] = [(), (size,), (size, small), (small,), (small, small)]
    dtype = draw(st.sampled_from(("float64", "float64", "float32")))
    rng = np.random.default_rng(draw(st.integers(0, 20)))
    chosen = [(), *draw(st.lists(st.sampled_from(shapes[1:]), min_size=1, max_size=3))]
    places = (2,) if collective else ()
    inputs = [rng.uniform(-1, 1, (*places, *shape)).astype(dtype) for shape in chosen]
    k = np.asarray(draw(st.integers(0, 6)), np.int64)
    writer = Writer(draw, collective=collective)
    scope = Scope({f"x{n}": shape for n, shape in enumerate(chosen)}, ["k"])
    while not any("lax." in line for line in writer.lines) or draw(st.booleans()):
        if reversible:
            draw(st.sampled_from((writer.scan, writer.fori, writer.cond)))(scope)
        else:
            writer.nested(scope)
        writer.assign(scope)
    found = [n for n in scope.floats if not n.startswith("x")][::-1]
    outputs = found[: draw(st.sampled_from((8, 3, 1, 5)))]
    return LoopProgram([*inputs, k], writer.lines, outputs, writer.reversible)
