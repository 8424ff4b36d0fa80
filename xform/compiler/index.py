"""Index expressions: sums of loop variables times integers, and atoms for what is no sum.

Expressions are immutable, compared by structure, and know their range, so that divisions and
remainders of reshapes, and conditions of pads and slices, vanish where the loops already decide
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

INT = 2**62


@dataclass(frozen=True, eq=False)
class LoopVar:
    """A loop index, 0 <= v < extent. Compared by identity; the name is for printing."""

    name: str
    extent: int

    @property
    def low(self) -> int:
        return 0

    @property
    def high(self) -> int:
        return max(0, self.extent - 1)

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Quotient:
    """floor(of / by)."""

    of: Expr
    by: int

    @cached_property
    def low(self) -> int:
        return self.of.low // self.by

    @cached_property
    def high(self) -> int:
        return self.of.high // self.by

    def __repr__(self) -> str:
        return f"({self.of} // {self.by})"


@dataclass(frozen=True)
class Remainder:
    """of mod by, not negative."""

    of: Expr
    by: int

    @property
    def low(self) -> int:
        return 0

    @property
    def high(self) -> int:
        return self.by - 1

    def __repr__(self) -> str:
        return f"({self.of} % {self.by})"


@dataclass(frozen=True)
class Clamped:
    """min(max(of, low), high)."""

    of: Expr
    low: int
    high: int

    def __repr__(self) -> str:
        return f"clamp({self.of}, {self.low}, {self.high})"


@dataclass(frozen=True)
class Datum:
    """An integer element of a node: an index that comes from data."""

    node: Any
    index: tuple[Expr, ...]

    @property
    def low(self) -> int:
        return -INT

    @property
    def high(self) -> int:
        return INT

    def __repr__(self) -> str:
        return f"{self.node!r}{list(self.index)}"


AnyAtom = LoopVar | Quotient | Remainder | Clamped | Datum


class Expr:
    """`const + sum(coefficient * atom)`."""

    __slots__ = ("_hash", "const", "high", "low", "terms")

    def __init__(self, terms: Iterable[tuple[AnyAtom, int]], const: int) -> None:
        kept, more = _recombined({a: c for a, c in terms if c})
        const += more
        self.terms: tuple[tuple[AnyAtom, int], ...] = tuple(kept.items())
        self.const = const
        self._hash = hash((frozenset(kept.items()), const))
        low = high = const
        for atom, c in self.terms:
            ends = (c * atom.low, c * atom.high)
            low += min(ends)
            high += max(ends)
        self.low = low
        self.high = high

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        if isinstance(other, int):
            return not self.terms and self.const == other
        return (
            isinstance(other, Expr)
            and self.const == other.const
            and self._hash == other._hash
            and dict(self.terms) == dict(other.terms)
        )

    @property
    def is_constant(self) -> bool:
        return not self.terms

    def coefficient(self, atom: AnyAtom) -> int:
        return next((c for a, c in self.terms if a == atom), 0)

    def __add__(self, other: Expr | int) -> Expr:
        other = expr(other)
        terms = dict(self.terms)
        for atom, c in other.terms:
            terms[atom] = terms.get(atom, 0) + c
        return Expr(terms.items(), self.const + other.const)

    __radd__ = __add__

    def __neg__(self) -> Expr:
        return self * -1

    def __sub__(self, other: Expr | int) -> Expr:
        return self + expr(other) * -1

    def __rsub__(self, other: Expr | int) -> Expr:
        return expr(other) - self

    def __mul__(self, other: int | Expr) -> Expr:
        if isinstance(other, Expr):
            if self.is_constant:
                return other * self.const
            if not other.is_constant:
                raise TypeError(f"an index times an index: {self} * {other}")
            other = other.const
        return Expr(((a, c * other) for a, c in self.terms), self.const * other)

    __rmul__ = __mul__

    def __floordiv__(self, by: int) -> Expr:
        if by <= 1:  # 0 in a reshape of nothing, where no index exists
            return self
        whole, rest = self._divided(by)
        if rest.low >= 0 and rest.high < by:
            return whole
        return whole + Expr(((Quotient(rest, by), 1),), 0)

    def __mod__(self, by: int) -> Expr:
        if by <= 1:
            return expr(0)
        _, rest = self._divided(by)
        if rest.low >= 0 and rest.high < by:
            return rest
        return Expr(((Remainder(rest, by), 1),), 0)

    def _divided(self, by: int) -> tuple[Expr, Expr]:
        """(q, r) with self = by * q + r and no term of r divisible."""
        q = Expr(((a, c // by) for a, c in self.terms if c % by == 0), self.const // by)
        r = Expr(((a, c) for a, c in self.terms if c % by), self.const % by)
        return q, r

    def clamp(self, low: int, high: int) -> Expr:
        if low <= self.low and self.high <= high:
            return self
        if self.is_constant:
            return expr(min(max(self.const, low), high))
        return Expr(((Clamped(self, low, high), 1),), 0)

    def __ge__(self, other: Expr | int) -> Condition:
        return _at_least(self - other)

    def __gt__(self, other: Expr | int) -> Condition:
        return _at_least(self - other - 1)

    def __le__(self, other: Expr | int) -> Condition:
        return _at_least(expr(other) - self)

    def __lt__(self, other: Expr | int) -> Condition:
        return _at_least(expr(other) - self - 1)

    def equals(self, other: Expr | int) -> Condition:
        return (self >= other) & (self <= other)

    def atoms(self) -> Iterable[AnyAtom]:
        """All atoms, those inside atoms included."""
        for atom, _ in self.terms:
            yield atom
            if isinstance(atom, Quotient | Remainder | Clamped):
                yield from atom.of.atoms()
            elif isinstance(atom, Datum):
                for i in atom.index:
                    yield from i.atoms()

    def depends_on(self, var: LoopVar) -> bool:
        return any(a is var for a in self.atoms())

    def __repr__(self) -> str:
        parts = [f"{c}*{a}" if c != 1 else f"{a}" for a, c in self.terms]
        if self.const or not parts:
            parts.append(str(self.const))
        return " + ".join(parts)


def _recombined(terms: dict[AnyAtom, int]) -> tuple[dict[AnyAtom, int], int]:
    """n*c * (e // n) + c * (e % n) = c * e: a reshape of a contiguous array is no change of offset.

    Returns the terms, and the constant that has come out of them.
    """
    const = 0
    again = True
    while again:
        again = False
        for atom, c in list(terms.items()):
            if not isinstance(atom, Remainder):
                continue
            quotient = Quotient(atom.of, atom.by)
            if terms.get(quotient) != c * atom.by:
                continue
            del terms[atom], terms[quotient]
            for a, k in atom.of.terms:
                terms[a] = terms.get(a, 0) + k * c
                if not terms[a]:
                    del terms[a]
            const += atom.of.const * c
            again = True
            break
    return terms, const


def expr(x: Expr | LoopVar | int) -> Expr:
    """An integer or a loop variable as an expression."""
    if isinstance(x, Expr):
        return x
    if isinstance(x, LoopVar):
        return Expr(((x, 1),), 0) if x.extent != 1 else Expr((), 0)
    return Expr((), int(x))


@dataclass(frozen=True)
class Condition:
    """A conjunction of disjunctions of `e >= 0`; no clauses is true, an empty clause is false."""

    clauses: tuple[tuple[Expr, ...], ...] = ()

    def __and__(self, other: Condition | bool) -> Condition:
        if isinstance(other, bool):
            return self if other else FALSE
        return Condition(tuple(dict.fromkeys((*self.clauses, *other.clauses))))

    __rand__ = __and__

    def __or__(self, other: Condition | bool) -> Condition:
        if isinstance(other, bool):
            return TRUE if other else self
        if self.is_true or other.is_true:
            return TRUE
        return Condition(tuple((*a, *b) for a in self.clauses for b in other.clauses))

    __ror__ = __or__

    @property
    def is_true(self) -> bool:
        return not self.clauses

    @property
    def is_false(self) -> bool:
        return any(not clause for clause in self.clauses)

    def expressions(self) -> Iterable[Expr]:
        for clause in self.clauses:
            yield from clause

    def map(self, f: Callable[[Expr], Expr]) -> Condition:
        return Condition(tuple(tuple(f(e) for e in clause) for clause in self.clauses))


TRUE = Condition()
FALSE = Condition(((),))


def _at_least(e: Expr) -> Condition:
    """e >= 0."""
    if e.low >= 0:
        return TRUE
    if e.high < 0:
        return FALSE
    return Condition(((e,),))


def linear_offset(index: Sequence[Expr], shape: Sequence[int]) -> Expr:
    """The position of an element of a row-major array."""
    offset = expr(0)
    for i, extent in zip(index, shape, strict=True):
        offset = offset * extent + i
    return offset


class Index:
    """An index as rows see it: `==` is a condition, not an equality of objects."""

    __slots__ = ("of",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, of: Expr) -> None:
        self.of = of

    def __add__(self, other: Index | int) -> Index:
        return Index(self.of + unwrap(other))

    __radd__ = __add__

    def __neg__(self) -> Index:
        return Index(-self.of)

    def __sub__(self, other: Index | int) -> Index:
        return Index(self.of - unwrap(other))

    def __rsub__(self, other: Index | int) -> Index:
        return Index(unwrap(other) - self.of)

    def __mul__(self, other: Index | int) -> Index:
        return Index(self.of * unwrap(other))

    __rmul__ = __mul__

    def __floordiv__(self, by: int) -> Index:
        return Index(self.of // by)

    def __mod__(self, by: int) -> Index:
        return Index(self.of % by)

    def clamp(self, low: int, high: int) -> Index:
        return Index(self.of.clamp(low, high))

    def __ge__(self, other: Index | int) -> Condition:
        return self.of >= unwrap(other)

    def __gt__(self, other: Index | int) -> Condition:
        return self.of > unwrap(other)

    def __le__(self, other: Index | int) -> Condition:
        return self.of <= unwrap(other)

    def __lt__(self, other: Index | int) -> Condition:
        return self.of < unwrap(other)

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self.of.equals(unwrap(other))  # type: ignore[arg-type]


def unwrap(x: Index | Expr | int) -> Expr:
    """The expression of an index."""
    return x.of if isinstance(x, Index) else expr(x)
