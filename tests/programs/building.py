"""A program while it is drawn: its values so far, and what may be made of them next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import xform
import xform.numpy as xnp
from tests.programs.arithmetic import COMPUTING, Statement
from tests.programs.collectives import at_first, collective
from tests.programs.drawing import Draw
from tests.programs.placing import MOVING, PLACES, place_in, poke
from tests.programs.values import (
    SPACE,
    Known,
    Line,
    Notes,
    is_tame,
    on_grid,
    written,
)

STRAIGHT = (*COMPUTING, *MOVING)
INSIDE = (*STRAIGHT, *PLACES, *PLACES)
DEEPEST = 3
# What a few roundings at each value may become, in roundings of the largest result. Programs that
# make more of them amplify roundings, and two right ways of running them differ.
MOST_AMPLIFIED = 2.0**8


@dataclass
class Scope:
    """The values that a block can use, and its lines. `traced`: its values have no numbers."""

    pool: list[Known]
    depth: int = 0
    traced: bool = False
    axes: tuple[tuple[str, int], ...] = ()
    lines: list[Line] = field(default_factory=list)

    def within(self, params: Sequence[Known], traced: bool = False, apart: bool = False) -> "Scope":
        """A scope inside. One `apart` may run at some positions of the named axes only."""
        axes = () if apart else self.axes
        return Scope([*self.pool, *params], self.depth + 1, self.traced or traced, axes)


Structured = Callable[["Builder", Scope], "list[Known] | None"]


class Builder:
    """Draws statements into scopes, and runs each of them as it is drawn."""

    def __init__(self, draw: Draw, structured: Sequence[Structured] = (), smooth: bool = False):
        self.draw = draw
        self.structured = structured
        self.smooth = smooth
        self.space: dict[str, Any] = dict(SPACE)
        self.claims: set[str] = set()
        self.names = 0
        self.precision = "float64"

    def fresh(self, prefix: str = "v") -> str:
        self.names += 1
        return f"{prefix}{self.names - 1}"

    def define(self, known: Known) -> Known:
        self.space[known.name] = known.value
        if known.exact:
            self.claims.add(known.name)
        if known.dtype == "float32":
            self.precision = "float32"
        return known

    def param(self, like: Known, value: Any = None, exact: bool | None = None) -> Known:
        """A new name for a value that a function is given."""
        value = like.value if value is None else value
        exact = like.exact if exact is None else exact
        return self.define(Known(self.fresh(), value, exact, like.smooth))

    # -- blocks --

    def block(self, scope: Scope, most: int) -> None:
        """Statements, of which those of the straight line are the simpler ones."""
        chance = (3, 4, 6)[min(scope.depth, 2)]
        for _ in self.draw.several(most, 1):
            nested = self.structured and scope.depth < DEEPEST
            if nested and self.draw.below(chance) == chance - 1:
                found = self.draw.pick(self.structured)(self, scope)
                scope.pool += found or []
                continue
            if scope.axes and not self.draw.below(3):
                self.add(scope, collective(self.draw, scope.pool, scope.axes))
                continue
            table = INSIDE if scope.depth else STRAIGHT
            self.add(scope, self.draw.pick(table)(self.draw, scope.pool))

    def add(self, scope: Scope, statement: Statement | None) -> Known | None:
        """Runs a statement, and keeps it if its value is one to go on with."""
        if statement is None:
            return None
        text, operands, keeps_exact, is_smooth = statement
        floats = [k for k in operands if k.is_float]
        if self.smooth and floats and not is_smooth:
            return None
        if self.smooth and any(k.dtype == "float32" for k in floats):
            return None
        value = self.evaluate(scope, text)
        if not is_tame(value):
            return None
        exact = keeps_exact and all(k.exact for k in operands) and on_grid(value)
        if scope.traced and np.asarray(value).dtype.kind == "f":
            exact = False
        smooth = is_smooth and all(k.smooth for k in operands)
        known = self.define(Known(self.fresh(), value, exact, smooth))
        scope.lines.append(Line(f"{known.name} = {text}", (known.name,)))
        scope.pool.append(known)
        return known

    def evaluate(self, scope: Scope, text: str) -> Any:
        with xform.disable_jit():
            return at_first(scope.axes, lambda: [eval(text, self.space)])[0]

    # -- statements with functions in them --

    def run(self, scope: Scope, lines: Sequence[Line], outs: Sequence[tuple[str, bool]]) -> Any:
        """Runs lines that make `outs`, pairs of a name and whether it is said to be exact.

        Gives the values, or None if they are not as claimed, too large, or amplify roundings.
        """
        claims = self.claims | {name for name, exact in outs if exact}
        plain, shifted = (self.once(scope, lines, outs, claims, seed) for seed in (None, 1))
        if plain is None or shifted is None:
            return None
        eps = float(np.finfo(self.precision).eps)
        for x, y in zip(plain, shifted, strict=True):
            if x.shape != y.shape or not is_tame(x):
                return None
            if np.asarray(x).dtype.kind != "f":
                continue
            a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
            scale = MOST_AMPLIFIED * eps * max(1.0, float(np.max(np.abs(a), initial=0.0)))
            if not np.all(np.abs(a - b) <= scale):
                return None
        found = [
            self.define(Known(name, value, exact and on_grid(value), self.smooth))
            for (name, exact), value in zip(outs, plain, strict=True)
        ]
        scope.lines += lines
        return found

    def once(
        self,
        scope: Scope,
        lines: Sequence[Line],
        outs: Sequence[tuple[str, bool]],
        claims: set[str],
        seed: int | None,
    ) -> list[Any] | None:
        notes = Notes(frozenset(claims), seed)
        space = {**self.space, "note": notes}
        text = "\n".join(t for line in lines for t in written(line, True))
        program = compile(text, "<statement>", "exec")

        def make() -> list[Any]:
            exec(program, space)
            return [space[name] for name, _ in outs]

        with xform.disable_jit():
            values = at_first(scope.axes, make)
        return values if notes.holds else None

    def function(
        self, name: str, heads: Sequence[Line], head: str, inner: Scope, returned: str
    ) -> list[Line]:
        """The lines of a function: `heads` take its arguments apart."""
        body = [*heads, *inner.lines, Line(f"return {returned}")]
        return [Line(f"def {name}({head}):"), *(line.indented() for line in body)]

    def unpacked(self, knowns: Sequence[Known], source: str) -> list[Line]:
        """The line that gives names to the parts of a tuple."""
        if not knowns:
            return []
        names = tuple(k.name for k in knowns)
        return [Line(f"{listed(names)} = {source}", names)]

    # -- values of a given type --

    def settle(self, inner: Scope, c: Known, carried: Sequence[Known] = ()) -> Known:
        """A value of the shape, dtype and exactness of `c`: what a loop carries, a branch gives."""
        options = self.settled_texts(inner, c, carried)
        text = self.draw.pick(options)
        value = self.evaluate(inner, text)
        if str(value.dtype) != c.dtype:
            text = f"({text}).astype('{c.dtype}')"
        if tuple(value.shape) != c.shape or not is_tame(value):
            text = c.name
        value = self.evaluate(inner, text)
        known = self.define(Known(self.fresh(), value, c.exact, c.smooth))
        # A second name would hide that a value is passed on unchanged only from the reader.
        inner.lines.append(Line(f"{known.name} = {text}", (known.name,)))
        return known

    def settled_texts(self, inner: Scope, c: Known, carried: Sequence[Known]) -> list[str]:
        draw, pool = self.draw, inner.pool
        same = [k for k in pool if k.shape == c.shape and k.dtype == c.dtype and fine(k, c)]
        others = [k for k in carried if any(k is s for s in same) and k is not c]
        fresh = [k for k in same if not any(k is x for x in carried)]
        texts = [c.name]
        texts += [draw.pick(others).name] if others else []
        texts += 2 * [draw.recent(fresh).name] if fresh else []
        indices = [k for k in pool if k.is_index and not k.ndim]
        if c.ndim and c.size and indices and not c.is_bool:
            text, _, _, is_smooth = poke(
                draw, [k for k in pool if fine(k, c)], c, draw.recent(indices)
            )
            if is_smooth or not self.smooth:
                texts += 2 * [text]
            texts.append(draw.pick(moved_within(c, draw.recent(indices))))
        if c.is_bool:
            flags = [k for k in pool if k.is_bool and k.shape == c.shape]
            return [*texts, f"~{c.name}", f"{c.name} ^ {draw.recent(flags).name}"]
        if not c.is_float:
            whole = [k for k in pool if k.is_index and k.shape in ((), c.shape)]
            texts.append(f"({c.name} * 3 + 1) % 7")
            if whole and c.is_index:
                k = draw.recent(whole).name
                texts += [f"({c.name} + {k}) % 9", f"{c.name} ^ {k}"]
            return texts
        if c.exact:
            return texts if self.smooth else [*texts, *self.exact_texts(inner, c)]
        return [*texts, *self.float_texts(inner, c)]

    def exact_texts(self, inner: Scope, c: Known) -> list[str]:
        whole = [k for k in inner.pool if k.exact and k.shape in ((), c.shape) and not k.is_bool]
        k = self.draw.recent(whole).name
        return [f"-{c.name}", f"xnp.clip({c.name} + {k}, -4, 4)", f"xnp.maximum({c.name}, {k})"]

    def float_texts(self, inner: Scope, c: Known) -> list[str]:
        draw = self.draw
        usable = [k for k in inner.pool if not k.is_bool and not (self.smooth and short(k))]
        fit = [k for k in usable if np_fits(k.shape, c.shape)]
        x, y = draw.recent(fit).name, draw.recent(usable).name
        texts = [
            f"0.5 * {c.name} + xnp.sin({x})",
            f"xnp.tanh({c.name} + {x})",
            f"{c.name} * 0.5 + 0.1 * xnp.tanh(xnp.sum({y}))",
            f"{x} * 0.25 + {c.name}",
        ]
        vectors = [k for k in usable if k.is_float and k.ndim == 1]
        if c.ndim == 2:
            for a in (k for k in vectors[::-1] if k.shape[0] == c.shape[0]):
                tails = [k for k in vectors if k.shape[0] == c.shape[1]]
                if tails:
                    b = draw.recent(tails)
                    texts += 2 * [f"{c.name} + xnp.tensordot({a.name}, {b.name}, 0)"]
                    break
        matrices = [k for k in usable if k.is_float and k.ndim == 2]
        pairs = [
            (m, v)
            for m in matrices
            for v in vectors
            if m.shape[1] == v.shape[0] and c.shape == m.shape[:1]
        ]
        if pairs:
            m, v = draw.recent(pairs)
            texts += [f"{c.name} + {m.name} @ {v.name}", f"xnp.tanh({m.name} @ {v.name})"]
        if not c.ndim and vectors:
            v = draw.recent(vectors)
            w = draw.recent([k for k in vectors if k.shape == v.shape])
            texts += [f"{c.name} + {v.name} @ {w.name}"]
        return texts


def moved_within(c: Known, i: Known) -> list[str]:
    """An array of which parts move: read, and written, in one update."""
    x, count = c.name, -(-c.shape[0] // 2)
    return [
        f"lax.dynamic_update_slice_in_dim({x}, {x}[:{count}] * 2, {i.name}, 0)",
        f"lax.dynamic_update_slice_in_dim({x}, xnp.flip({x}[:{count}], 0), {i.name}, 0)",
        f"{x}.at[1:].set({x}[:-1])",
        f"{x}.at[:-1].add({x}[1:])",
        f"{x}.at[::2].set(xnp.flip({x}[::2], 0))",
        f"{x}.at[{place_in(i, c.shape[0])}].add({x}[-1])",
        f"{x}.at[xnp.arange({count})].set({x}[::-1][:{count}])",
    ]


def fine(k: Known, c: Known) -> bool:
    """Whether a value is exact if it has to be."""
    return k.exact or not c.exact


def short(k: Known) -> bool:
    return k.dtype == "float32"


def np_fits(shape: Sequence[int], into: Sequence[int]) -> bool:
    """Whether a shape broadcasts into another."""
    try:
        return np.broadcast_shapes(shape, into) == tuple(into)
    except ValueError:
        return False


def listed(names: Sequence[str]) -> str:
    """A tuple of names as text."""
    return f"({', '.join(names)},)" if names else "()"


def first_row(k: Known) -> Any:
    """The first slice of a value; zeros if it has none."""
    if k.shape[0]:
        return xnp.asarray(np.asarray(k.value)[0])
    return xnp.zeros(k.shape[1:], dtype=k.dtype)
