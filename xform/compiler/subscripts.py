"""Index expressions as machine values: what is the same in all lanes, and what is not."""

from __future__ import annotations

from collections.abc import Callable

from .._kernels import builder as llvm
from .index import INT, AnyAtom, Clamped, Datum, Expr, LoopVar, Quotient

Value = llvm.Value


class Subscripts:
    """Writes index expressions. `env` has the value of each open loop; `lanes` the one in lanes.

    The value of a loop that runs in lanes is that of its first lane.
    """

    def __init__(self, builder: llvm.Builder, data: Callable[[Datum], Value]) -> None:
        self.b = builder
        self.data = data
        self.env: dict[LoopVar, Value] = {}
        self.lanes: dict[LoopVar, int] = {}

    def split(self, e: Expr) -> tuple[Value | None, int]:
        """(value in the first lane, step between lanes); (None, 0) where steps are not even."""
        stride = 0
        for atom, coefficient in e.terms:
            if isinstance(atom, LoopVar):
                if atom in self.lanes:
                    stride = coefficient
            elif self.atom_width(atom) > 1:
                return None, 0
        return self.base(e), stride

    def width(self, e: Expr) -> int:
        """How many lanes an expression differs in; 1 if it is the same in all."""
        return max((self.atom_width(a) for a, _ in e.terms), default=1)

    def atom_width(self, atom: AnyAtom) -> int:
        if isinstance(atom, LoopVar):
            return self.lanes.get(atom, 1)
        if isinstance(atom, Datum):
            return max((self.width(i) for i in atom.index), default=1)
        return self.width(atom.of)

    def base(self, e: Expr) -> Value:
        """The value in the first lane, an i64."""
        return self._sum(e, "i64", lambda a: self.env[a])

    def value(self, e: Expr, element: str) -> Value:
        """The value in every lane; scalar where it is the same in all."""
        return self._sum(e, element, lambda a: self._loop(a, element))

    def _loop(self, var: LoopVar, element: str) -> Value:
        first = self._narrow(self.env[var], element)
        count = self.lanes.get(var, 1)
        return first if count == 1 else first + self.b.lane_index(count, element)

    def _narrow(self, value: Value, element: str) -> Value:
        if value.element == element:
            return value
        if value.number is not None:
            return self.b.constant(element, value.number)
        return self.b.cast("trunc" if element == "i32" else "sext", value, element)

    def _sum(self, e: Expr, element: str, loop: Callable[[LoopVar], Value]) -> Value:
        total: Value | None = None
        const = e.const
        parts = []
        for atom, c in e.terms:
            value = self._atom(atom, element, loop)
            if value.number is None:
                parts.append((value, c))
            else:
                const += int(value.number) * c
        # Terms that change least come first, so that their sum moves out of the inner loops.
        for value, c in sorted(parts, key=lambda part: part[0].depth):
            term = value if c == 1 else value * c
            total = term if total is None else total + term
        if total is None:
            return self.b.constant(element, const)
        return total + const if const else total

    def _atom(self, atom: AnyAtom, element: str, loop: Callable[[LoopVar], Value]) -> Value:
        if isinstance(atom, LoopVar):
            return self._narrow(loop(atom), element)
        if isinstance(atom, Datum):
            return self._narrow(self.data(atom), element)
        inner = "i64" if element == "i64" or not _is_short(atom.of) else "i32"
        of = self._sum(atom.of, inner, lambda a: self._narrow(loop(a), inner))
        if isinstance(atom, Clamped):
            low = self.b.select(self.b.compare("slt", of, atom.low), atom.low, of)
            return self._narrow(
                self.b.select(self.b.compare("sgt", low, atom.high), atom.high, low), element
            )
        quotient, remainder = self._divide(of, atom.of, atom.by)
        return self._narrow(quotient if isinstance(atom, Quotient) else remainder, element)

    def _divide(self, value: Value, of: Expr, by: int) -> tuple[Value, Value]:
        """Floor quotient and remainder by a positive constant."""
        if of.low >= 0:
            quotient = self.b.binary("udiv", value, by)
            return quotient, value - quotient * by
        if by & (by - 1) == 0:
            # Shorter than a division; and LLVM loses the division of a vector of products by 2.
            shift = by.bit_length() - 1
            return self.b.binary("ashr", value, shift), self.b.binary("and", value, by - 1)
        quotient = self.b.binary("sdiv", value, by)
        remainder = value - quotient * by
        negative = self.b.compare("slt", remainder, 0)
        return (
            self.b.select(negative, quotient - 1, quotient),
            self.b.select(negative, remainder + by, remainder),
        )


def _is_short(e: Expr) -> bool:
    return e.low >= -(2**31) and e.high < 2**31 and abs(e.low) < INT
