"""Sums of products over axes: products of matrices, convolutions and their gradients, in registers.

    out[a] = sum over s of left[a, s] * right[a, s]

where each array is read or written at a sum of indices times steps. A tile of the output, some rows
of some vectors, is held in registers while the summed axes are gone through: each vector of one
operand serves all rows, each element of the other all vectors. The form of the tile is chosen by
counting loads and multiplications.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .builder import Builder, Value
from .literals import BITS

Steps = tuple[int, int]
Body = Callable[[Sequence[Value], Steps, Sequence[Value]], Sequence[Value]]

__all__ = ["Axis", "Machine", "Plan", "plan", "write"]


@dataclass(frozen=True)
class Axis:
    """A loop, and by how many elements it moves in each array; one that is summed has `out` 0."""

    extent: int
    left: int
    right: int
    out: int

    @property
    def summed(self) -> bool:
        return self.out == 0

    @property
    def reach(self) -> int:
        """About how many elements it passes over, in the array where it goes furthest."""
        return self.extent * max(abs(self.left), abs(self.right), abs(self.out))


@dataclass(frozen=True)
class Machine:
    """Vector registers: the size of one, and how many there are."""

    vector_bytes: int
    registers: int


@dataclass(frozen=True)
class Tile:
    """Rows along one axis of vectors along another, with `width` lanes to a vector."""

    lanes: Axis
    rows: Axis
    width: int
    vectors: int
    height: int

    @property
    def blocks(self) -> int:
        """The number of vectors along the axis of the lanes."""
        return -(-self.lanes.extent // self.width)

    def cost(self) -> float:
        """About how many cycles one vector of the output takes for each term of its sum."""
        total = 0.0
        for rows, times in _parts(self.rows.extent, self.height):
            for vectors, often in _parts(self.blocks, self.vectors):
                total += times * often * _cycles(self.lanes, self.rows, rows, vectors)
        return total / (self.rows.extent * self.blocks)


@dataclass(frozen=True)
class Plan:
    """How a sum of products is gone through.

    `outer` are the loops around the tiles, outermost first; those over the tiles' own axes step by
    whole tiles, and summed axes among them by their `blocks`. `inner` are the summed axes within.
    """

    tile: Tile
    outer: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    blocks: dict[Axis, int]

    @property
    def accumulates(self) -> bool:
        """Whether tiles are added to in memory."""
        return any(a.summed for a in self.outer)

    def size(self, axis: Axis) -> int:
        """How much of an axis is within a tile."""
        if axis is self.tile.lanes:
            return self.tile.width * self.tile.vectors
        if axis is self.tile.rows:
            return self.tile.height
        return self.blocks.get(axis, 1)

    @property
    def side(self) -> int:
        """The operand that is read along the lanes: 0 is the left, 1 the right."""
        return 1 if self.tile.lanes.right else 0

    @property
    def panel(self) -> int:
        """The number of elements of that operand that a tile reads, if they are worth a copy.

        They are where they lie apart and many tiles read the same ones. The copy is made inside
        the first loops, as many as move in the operand.
        """
        tile = self.tile
        both = tile.lanes.left and tile.lanes.right
        if both or step(tile.rows, self.side) or tile.lanes.extent <= self.size(tile.lanes):
            return 0
        inside = self.outer[self.first_inside() :]
        if math.prod(-(-a.extent // self.size(a)) for a in inside) < _TIMES_READ:
            return 0
        return math.prod(self.blocks.get(a, a.extent) for a in self.inner) * self.size(tile.lanes)

    def first_inside(self) -> int:
        """The position of the first outer loop from which on none moves in that operand."""
        return max((k + 1 for k, a in enumerate(self.outer) if step(a, self.side)), default=0)


def step(axis: Axis, side: int) -> int:
    """By how much an axis moves in the left (0) or right (1) operand."""
    return axis.right if side else axis.left


_LATENCY = 4  # cycles of a multiply-add, of which two start in each
_LINE = 64  # bytes of the cache, or about as many elements as make a look ahead worth it
_NONE = Axis(1, 0, 0, 1)
_TILE_BYTES = 160 * 1024  # of the operands of one tile, so that they stay in the second cache
_SMALL_BYTES = 32 * 1024  # of an operand that stays in the first
_NEAR_BYTES = 256 * 1024  # of the rows that are gone through before the lanes move on
_BLOCK_TILES = 4
_TIMES_READ = 8
_MOST_UNROLLED = 9
_MOST_PRODUCTS = 256  # in a loop's body


def _cycles(lanes: Axis, rows: Axis, height: int, vectors: int) -> float:
    """Of one term of a tile's sum: two multiply-adds and two loads start in each cycle."""
    loads = 0
    for of_lanes, of_rows in ((lanes.left, rows.left), (lanes.right, rows.right)):
        loads += (vectors if of_lanes else 1) * (height if of_rows else 1)
    return max(height * vectors / 2, loads / 2, _LATENCY)


def _parts(extent: int, size: int) -> list[tuple[int, int]]:
    """The sizes of the pieces of an axis, and how many there are of each."""
    whole, rest = divmod(extent, size)
    return [(n, times) for n, times in ((size, whole), (rest, 1)) if n and times]


def _even(extent: int, most: int) -> int:
    """The size of as few pieces as there can be, as equal as they can be."""
    return -(-extent // -(-extent // most))


def merged(axes: Sequence[Axis]) -> list[Axis]:
    """The axes with those made one that go on from each other in all arrays."""
    found = [a for a in axes if a.extent > 1]
    joined = True
    while joined:
        joined = False
        for a, b in itertools.permutations(found, 2):
            steps = zip((a.left, a.right, a.out), (b.left, b.right, b.out), strict=True)
            if all(x == y * b.extent for x, y in steps):
                found = [c for c in found if c is not a and c is not b]
                found.append(Axis(a.extent * b.extent, b.left, b.right, b.out))
                joined = True
                break
    return found


def plan(axes: Sequence[Axis], item_bytes: int, machine: Machine) -> Plan:
    """Chooses lanes, rows, the form of the tile and the order of the loops.

    Args:
        axes: all have extents of at least 1; those that are not summed fill the output densely.
        item_bytes: of an element.
        machine: the registers.
    """
    every = merged(axes)
    lanes = _lanes(every)
    free = [a for a in every if not a.summed and a is not lanes]
    tile = _tile(lanes, free, machine.vector_bytes // item_bytes, machine.registers)
    free, tile = _divided(free, tile, item_bytes)
    summed = sorted((a for a in every if a.summed), key=lambda a: -max(abs(a.left), abs(a.right)))
    inner, blocks = _inside(summed, tile, item_bytes)
    around = [a for a in (*summed, *free) if a not in inner or a in blocks]
    around = [a for a in around if a is not tile.rows]
    around.sort(key=lambda a: -a.reach)
    return Plan(tile, tuple(_ordered(around, tile, every, item_bytes)), inner, blocks)


def _lanes(axes: Sequence[Axis]) -> Axis:
    """The axis that runs in lanes: the output's last, if the operands are read along it."""
    for a in axes:
        if a.out == 1 and {a.left, a.right} <= {0, 1}:
            return a
    return _NONE


def _tile(lanes: Axis, free: Sequence[Axis], widest: int, registers: int) -> Tile:
    """The form that takes the fewest cycles; of equal ones, rows that lie close together."""
    width = widest
    while width > 1 and width // 2 >= lanes.extent:
        width //= 2
    blocks = -(-lanes.extent // width)
    found: list[Tile] = []
    for vectors in range(1, min(blocks, 4) + 1):
        most = max(1, (registers - 1 - vectors) // vectors)
        for rows in (*free, _NONE):
            heights = {_even(rows.extent, h) for h in range(1, most + 1)}
            found += [Tile(lanes, rows, width, _even(blocks, vectors), h) for h in heights]
    return min(found, key=lambda t: (t.cost(), abs(t.rows.left), -t.height * t.vectors))


def _divided(free: Sequence[Axis], tile: Tile, item_bytes: int) -> tuple[list[Axis], Tile]:
    """The rows in blocks, if they reach so far that no cache holds them from lanes to lanes."""
    rows = tile.rows
    far = rows.reach * item_bytes / _NEAR_BYTES
    sizes = range(tile.height, 1 + int(rows.extent / far) if far > 1 else 0)
    size = max((n for n in sizes if rows.extent % n == 0), default=0)
    if size < _BLOCK_TILES * tile.height:
        return list(free), tile
    count = rows.extent // size
    outer = Axis(count, rows.left * size, rows.right * size, rows.out * size)
    block = Axis(size, rows.left, rows.right, rows.out)
    rest = [a for a in free if a is not rows]
    return [*rest, outer, block], replace(tile, rows=block, height=_even(size, tile.height))


def _inside(
    summed: Sequence[Axis], tile: Tile, item_bytes: int
) -> tuple[tuple[Axis, ...], dict[Axis, int]]:
    """The summed axes within a tile, as many as leave its operands in the cache.

    Returns the axes, and how much of the outermost is within if it is divided.
    """
    across = tile.width * tile.vectors * item_bytes
    term = 0  # bytes of both operands for one term
    for of_lanes, of_rows in (
        (tile.lanes.left, tile.rows.left),
        (tile.lanes.right, tile.rows.right),
    ):
        if of_lanes:
            term += across
        elif abs(of_rows) == 1:
            term += _LINE
        elif of_rows:
            term += tile.height * item_bytes
    inner: list[Axis] = []
    terms = 1
    for a in reversed(summed):
        if terms * a.extent * term <= _TILE_BYTES:
            inner.insert(0, a)
            terms *= a.extent
            continue
        room = max(1, _TILE_BYTES // (terms * term))
        size = next((d for d in range(room, room // 2, -1) if a.extent % d == 0), room)
        if size > 1:
            return (a, *inner), {a: size}
        break
    return tuple(inner), {}


def _ordered(
    around: Sequence[Axis], tile: Tile, axes: Sequence[Axis], item_bytes: int
) -> list[Axis]:
    """The outer loops with those over tiles put among them.

    An operand that stays in the first cache is gone through for each row; else vectors stay for
    all rows that one round of the outermost loops has.
    """
    order = list(around)
    last = max((k for k, a in enumerate(order) if a.summed), default=-1)
    across = math.prod(a.extent for a in axes if a.right)
    if across * item_bytes <= _SMALL_BYTES:
        return [*order, tile.rows, tile.lanes]
    order.insert(max(last + 1, min(1, len(order))), tile.lanes)
    return [*order, tile.rows]


def write(b: Builder, given: Plan, element: str, pointers: Sequence[Value]) -> None:
    """Writes the loops of a plan.

    Args:
        b: the builder.
        given: the plan.
        element: LLVM's type of the elements.
        pointers: of the left and right array, the output, and room for the plan's panel. The output
            and the room overlap nothing.
    """
    left, right, out, room = pointers
    _Writer(b, given, element, room).run((left, right, out))


class _Writer:
    def __init__(self, b: Builder, given: Plan, element: str, room: Value) -> None:
        self.b = b
        self.plan = given
        self.tile = given.tile
        self.element = element
        self.room = room
        self.copied_at = given.first_inside() if given.panel else -1
        self.inner = given.inner  # with the steps in the panel, if there is one

    def run(self, pointers: Sequence[Value]) -> None:
        if self.plan.accumulates:
            every = (*self.plan.outer, *self.plan.inner)
            count = math.prod(a.extent for a in dict.fromkeys(every) if not a.summed)
            self.clear(pointers[2], count * BITS[self.element] // 8)
        self.around(0, pointers, {})

    def clear(self, target: Value, nbytes: int) -> None:
        self.b.declarations.add("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
        self.b.line(
            f"call void @llvm.memset.p0.i64(ptr {target.name}, i8 0, i64 {nbytes}, i1 false)"
        )

    def moved(self, pointers: Sequence[Value], axis: Axis, index: Value) -> list[Value]:
        steps = (axis.left, axis.right, axis.out)
        return [
            self.b.pointer(p, self.element, index * step) if step else p
            for p, step in zip(pointers, steps, strict=True)
        ]

    # -- loops --

    def around(self, depth: int, pointers: Sequence[Value], sizes: dict[Axis, int]) -> None:
        """The outer loops from a depth on; `sizes` has how much of an axis is within a tile."""
        if depth == self.copied_at:
            pointers = self.copied(pointers, sizes)
        if depth == len(self.plan.outer):
            self.tile_at(pointers, sizes)
            return
        axis = self.plan.outer[depth]
        size = self.plan.size(axis)
        whole, left = divmod(axis.extent, size)
        inside = {**sizes, axis: size}
        if whole == 1:
            self.around(depth + 1, pointers, inside)
        elif whole:
            with self.b.loop(whole) as loop:
                at = self.moved(pointers, axis, loop.index * size)
                self.around(depth + 1, at, inside)
        if left:
            at = self.moved(pointers, axis, self.b.constant("i64", whole * size))
            self.around(depth + 1, at, {**sizes, axis: left})

    def copied(self, pointers: Sequence[Value], sizes: dict[Axis, int]) -> list[Value]:
        """What tiles read along the lanes, side by side; zeros where there are no lanes."""
        tile, side = self.tile, self.plan.side
        masks = self.masks(sizes[tile.lanes])
        dense: list[Axis] = []
        room = tile.width * len(masks)
        for a in reversed(self.plan.inner):
            dense.insert(0, replace(a, right=room) if side else replace(a, left=room))
            room *= sizes.get(a, a.extent)
        self.inner = tuple(dense)

        def copy(depth: int, source: Value, target: Value) -> None:
            if depth == len(dense):
                for v, mask in enumerate(masks):
                    at = self.at(source, v * tile.width)
                    value = self.b.load(self.element, at, tile.width, mask=mask)
                    self.b.store(value, self.at(target, v * tile.width))
                return
            a = self.plan.inner[depth]
            with self.b.loop(sizes.get(a, a.extent)) as loop:
                copy(
                    depth + 1,
                    self.b.pointer(source, self.element, loop.index * step(a, side)),
                    self.b.pointer(target, self.element, loop.index * step(dense[depth], side)),
                )

        copy(0, pointers[side], self.room)
        return [self.room if k == side else p for k, p in enumerate(pointers)]

    def masks(self, lanes: int) -> list[Value | None]:
        """For each vector of so many lanes, which of them are there, if not all."""
        whole, partial = divmod(lanes, self.tile.width)
        last = [self.b.lane_mask(self.tile.width, partial)] if partial else []
        return [None] * whole + last

    # -- tiles --

    def tile_at(self, pointers: Sequence[Value], sizes: dict[Axis, int]) -> None:
        tile = self.tile
        masks = self.masks(sizes[tile.lanes])
        places = [(r, v) for r in range(sizes[tile.rows]) for v in range(len(masks))]
        whole = [None] * len(masks)  # the copy has all lanes
        of_left, of_right = (
            whole if self.copied_at >= 0 and side == self.plan.side else masks for side in (0, 1)
        )
        out = {(r, v): self.at(pointers[2], r * tile.rows.out + v * tile.width) for r, v in places}
        start = [self.b.constant(self.element, 0, tile.width)] * len(places)

        def body(at: Sequence[Value], moved: Steps, sums: Sequence[Value]) -> list[Value]:
            after = []
            for (r, v), total in zip(places, sums, strict=True):
                x = self.read(at[0], moved[0], tile.lanes.left, tile.rows.left, r, v, of_left[v])
                y = self.read(at[1], moved[1], tile.lanes.right, tile.rows.right, r, v, of_right[v])
                after.append(self.b.fma(x, y, total) if total.is_float else total + x * y)
            return after

        inner = [
            (a, sizes.get(own, own.extent))
            for a, own in zip(self.inner, self.plan.inner, strict=True)
        ]
        written = _unrolled(inner, len(places))
        sums = self.within(inner, written, pointers, (0, 0), start, body)
        for (r, v), total in zip(places, sums, strict=True):
            if self.plan.accumulates:
                before = self.b.load(self.element, out[r, v], tile.width, mask=masks[v])
                total = before + total
            self.b.store(total, out[r, v], mask=masks[v])

    def within(
        self,
        axes: Sequence[tuple[Axis, int]],
        written: int,
        pointers: Sequence[Value],
        moved: Steps,
        sums: Sequence[Value],
        body: Body,
    ) -> Sequence[Value]:
        """The summed axes within a tile; the last ones, as many as `written`, are no loops.

        `moved` is by how many elements the operands have moved on from the pointers.
        """
        if not axes:
            return body(pointers, moved, sums)
        (axis, extent), *rest = axes
        if len(axes) <= written or extent == 1:
            for k in range(extent):
                there = (moved[0] + k * axis.left, moved[1] + k * axis.right)
                sums = self.within(rest, written, pointers, there, sums, body)
            return sums
        with self.b.loop(extent, carried=sums) as loop:
            at = self.moved(pointers, axis, loop.index)
            if len(axes) == written + 1:
                self.fetch(pointers[0], axis, extent, loop.index)
            loop.carry(*self.within(rest, written, at, moved, loop.carried, body))
        return loop.results

    def fetch(self, base: Value, axis: Axis, extent: int, index: Value) -> None:
        """Asks early for what the next rows read, a little with each term of this tile's sum."""
        tile = self.tile
        ahead = tile.height * tile.rows.left
        overlap = extent > tile.rows.left
        if axis.left != 1 or tile.lanes.left or overlap or ahead < _LINE:
            return
        address = self.b.pointer(base, self.element, index * -(-ahead // extent) + ahead)
        self.b.declarations.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        self.b.line(f"call void @llvm.prefetch.p0(ptr {address.name}, i32 0, i32 3, i32 1)")

    def at(self, base: Value, offset: int) -> Value:
        return self.b.pointer(base, self.element, offset)

    def read(
        self,
        base: Value,
        moved: int,
        of_lanes: int,
        of_rows: int,
        row: int,
        vector: int,
        mask: Value | None,
    ) -> Value:
        """An operand of one vector of the tile: a vector, or one element for all its lanes."""
        width = self.tile.width
        address = self.at(base, moved + row * of_rows + vector * width * of_lanes)
        if of_lanes:
            return self.b.load(self.element, address, width, invariant=True, mask=mask)
        return self.b.splat(self.b.load(self.element, address, invariant=True), width)


def _unrolled(inner: Sequence[tuple[Axis, int]], products: int) -> int:
    """How many of the last axes are written out: a few terms, in a body that is not long."""
    count = 0
    terms = 1
    for _, extent in reversed(inner):
        terms *= extent
        if terms > _MOST_UNROLLED or terms * products > _MOST_PRODUCTS:
            break
        count += 1
    return count
