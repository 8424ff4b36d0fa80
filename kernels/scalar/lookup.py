"""Short tables, read at an index that differs from lane to lane.

Registers of 32 bytes and more can be permuted by a variable vector: an instruction reads a table as
large as the register, which costs less than the terms that a shorter interval saves. LLVM has no
name for that instruction that fits all targets; it makes it of the reads of single lanes, where
their number is that of the register's lanes. Elsewhere the table lies in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..builder import Builder, Value
from ..literals import BITS, literal
from .precision import precision_of


def lookup(b: Builder, element: str, table: Sequence[float], index: Value) -> Value:
    """The entries of a table at the indices in the lanes, the same bits on every target.

    Args:
        b: where to write.
        element: "float" or "double".
        table: 8 or 16 numbers.
        index: whole numbers below the length of the table, as wide as the element.

    >>> b = Builder()
    >>> one = lookup(b, "double", range(8), Value(b, "%k", "i64", 1, 0))
    >>> print(b.body())
      %v1 = getelementptr double, ptr @table_da85255486, i64 %k
      %v2 = load double, ptr %v1, align 8
    """
    if index.lanes == 1 or b.vector_bytes < 32:
        return _from_memory(b, element, table, index)
    register = b.vector_bytes * 8 // BITS[element]
    pieces = [
        _from_registers(b, element, table, b.shuffle(index, _lanes(start, register, index.lanes)))
        for start in range(0, index.lanes, register)
    ]
    return _joined(b, pieces, index.lanes)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number lies: the interval of eight, and the distance from its middle."""

    index: Value
    rest: Value


def place_of(b: Builder, x: Value, step: float, first: float = 0.0) -> Place:
    """The place of a float or double among eight intervals about first + k step.

    Numbers outside of all get one of the indices. The distance is exact, if `step` and `first` have
    few bits.
    """
    p = precision_of(x)
    shifted = b.fma(x - first if first else x, 1 / step, p.magic)
    rest = b.fma(shifted - p.magic, -step, x)
    return Place(b.bits(shifted) & 7, rest - first if first else rest)


def half_octave_of(b: Builder, x: Value, start: float) -> Value:
    """The index of a number from `start` to 16 times that among eight intervals, each with half as
    many floats as there are between a number and its double.
    """
    p = precision_of(x)
    return b.shift_right(b.bits(x) - p.pattern_of(start), p.mantissa - 1) & 7


def polynomial_at(b: Builder, place: Place, rows: Sequence[Sequence[float]]) -> Value:
    """One of eight polynomials of the distance: that of the index.

    A row has the coefficients of one power, the lowest first.
    """
    element = place.rest.element
    first, *others = [lookup(b, element, row, place.index) for row in rows]
    return b.fma(b.estrin(place.rest, others), place.rest, first)


def polynomial_in_two_parts(
    b: Builder, place: Place, rows: Sequence[Sequence[float]], low_row: Sequence[float]
) -> tuple[Value, Value]:
    """`polynomial_at` as a sum of two; `low_row` is what rounding took from the first row."""
    element = place.rest.element
    first = lookup(b, element, rows[0], place.index)
    slope = polynomial_at(b, place, rows[1:])
    total = b.fma(slope, place.rest, first)
    low = b.fma(slope, place.rest, first - total)
    return total, low + lookup(b, element, low_row, place.index)


def _lanes(start: int, register: int, lanes: int) -> list[int]:
    """A register's worth of lanes; where there are fewer, the last again."""
    return [min(start + k, lanes - 1) for k in range(register)]


def _joined(b: Builder, pieces: list[Value], lanes: int) -> Value:
    """The first lanes of the pieces, one after another."""
    while len(pieces) > 1:
        last = pieces[-1:] if len(pieces) % 2 else []
        pairs = zip(pieces[0::2], pieces[1::2], strict=False)
        pieces = [b.concatenate(low, high) for low, high in pairs] + last
    whole = pieces[0]
    return whole if whole.lanes == lanes else b.shuffle(whole, range(lanes))


def _from_memory(b: Builder, element: str, table: Sequence[float], index: Value) -> Value:
    entries = ", ".join(f"{element} {literal(element, entry)}" for entry in table)
    name = "@table_" + hashlib.sha256(entries.encode()).hexdigest()[:10]
    kind = f"[{len(table)} x {element}]"
    b.declarations.add(f"{name} = private unnamed_addr constant {kind} [{entries}]")
    place = b.cast("zext", index, "i64") if index.element == "i32" else index
    address = b.pointer(Value(b, name, "ptr", 1, 0), element, place)
    return b.load(element, address, invariant=True)


def _from_registers(b: Builder, element: str, table: Sequence[float], index: Value) -> Value:
    """From as many registers as hold the table; the index's upper bits choose one."""
    width = index.lanes
    if len(table) < width:
        table = [*table, *table]
    parts = [table[k : k + width] for k in range(0, len(table), width)]
    lower = index & (width - 1) if len(parts) > 1 else index
    values = [_permuted(b, element, part, lower) for part in parts]
    bit = width
    while len(values) > 1:
        upper = b.compare("ne", index & bit, 0)
        pairs = zip(values[0::2], values[1::2], strict=True)
        values = [b.select(upper, high, low) for low, high in pairs]
        bit *= 2
    return values[0]


def _permuted(b: Builder, element: str, table: Sequence[float], index: Value) -> Value:
    entries = ", ".join(f"{element} {literal(element, entry)}" for entry in table)
    source = Value(b, f"<{entries}>", element, index.lanes, 0)
    if element == "double" and index.lanes == 4:
        # AVX2 permutes by a variable vector in units of 32 bits only.
        even = index + index
        halves = b.reshaped(even | (even << 32) | (1 << 32), "i32", 8)
        return b.reshaped(_by_lanes(b, b.reshaped(source, "float", 8), halves), "double", 4)
    return _by_lanes(b, source, index)


def _by_lanes(b: Builder, source: Value, index: Value) -> Value:
    result = Value(b, "poison", source.element, source.lanes, 0)
    for lane in range(index.lanes):
        place = b.extract(index, lane)
        text = f"extractelement {source.type} {source.name}, {place.type} {place.name}"
        one = b.define(source.element, 1, text, (source, place))
        result = b.insert(result, one, lane)
    return result
