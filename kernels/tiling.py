"""Sums of products over axes, and how they are gone through.

    out[a] = sum over s of left[a, s] * right[a, s]

where each array is read or written at a sum of indices times steps. A tile of the output, some rows
of some vectors, is held in registers while the summed axes are gone through: each vector of one
operand serves all rows, each element of the other all vectors. The form of the tile is chosen by
counting loads and multiplications; `convolution` writes the code.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["Axis", "Frame", "Machine", "Part", "Plan", "Tile", "plan", "room", "step"]


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
class Part:
    """Axes that go through a part of the output, and where they begin in the three arrays."""

    axes: tuple[Axis, ...]
    start: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Machine:
    """Vector registers: the size of one, and how many there are."""

    vector_bytes: int
    registers: int


@dataclass(frozen=True)
class Tile:
    """Rows along one axis of vectors along another, with `width` lanes to a vector.

    If the axis of the lanes is summed, they are added up at the end, and a row is one number.
    """

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
class Frame:
    """Room for a part of the left array with zeros around it, one part for each outermost step.

    `dims`, outermost first: (size of the part, size of the room, zeros before it, which may be
    negative: so many elements are left out).
    """

    dims: tuple[tuple[int, int, int], ...]

    @property
    def size(self) -> int:
        return math.prod(room for _, room, _ in self.dims)


@dataclass(frozen=True)
class Plan:
    """How a sum of products is gone through.

    `outer` are the loops around the tiles, outermost first; those over the tiles' own axes step by
    whole tiles, and summed axes among them by their `blocks`. `inner` are the summed axes within.
    With a `frame`, the outermost loop steps in the left array, all others in the frame.
    """

    tile: Tile
    outer: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    blocks: dict[Axis, int]
    start: tuple[int, int, int] = (0, 0, 0)
    frame: Frame | None = None

    def __str__(self) -> str:
        """The loops with their extents, and by how much those that are divided go on."""

        def show(axes: Sequence[Axis], sizes: Sequence[int]) -> str:
            parts = zip(axes, sizes, strict=True)
            return " ".join(f"{a.extent} by {n}" if n > 1 else str(a.extent) for a, n in parts)

        outer = show(self.outer, [self.size(a) for a in self.outer])
        inner = " ".join(str(self.blocks.get(a, a.extent)) for a in self.inner)
        tile = f"{self.tile.height} rows of {self.tile.vectors} vectors of {self.tile.width}"
        copied = [f"panel of {self.panel}"] if self.panel else []
        copied += [f"frame of {self.frame.size}"] if self.frame else []
        return f"for {outer}\n  {', '.join((tile, *copied))}\n    sum over {inner}".rstrip()

    @property
    def accumulates(self) -> bool:
        """Whether tiles are added to in memory."""
        return any(a.summed for a in self.outer if a is not self.tile.lanes)

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

    @property
    def made(self) -> int:
        """The number of elements of the output that it makes."""
        axes = dict.fromkeys((*self.outer, *self.inner))
        return math.prod(a.extent for a in axes if not a.summed)

    def first_inside(self) -> int:
        """The position of the first outer loop from which on none moves in that operand."""
        return max((k + 1 for k, a in enumerate(self.outer) if step(a, self.side)), default=0)


def room(plans: Sequence[Plan]) -> int:
    """The number of elements of memory that plans with one frame need besides the arrays."""
    frames = [p.frame.size for p in plans if p.frame]
    return max((p.panel for p in plans), default=0) + max(frames, default=0)


def step(axis: Axis, side: int) -> int:
    """By how much an axis moves in the left (0) or right (1) operand."""
    return axis.right if side else axis.left


_LATENCY = 4  # cycles of a multiply-add, of which two start in each
_LINE = 64  # bytes
_NONE = Axis(1, 0, 0, 1)
_MOST_VECTORS = 8
_LEAST = 4  # lanes along a summed axis
_TILE_BYTES = 160 * 1024  # of the operands of one tile, so that they stay in the second cache
_SMALL_BYTES = 32 * 1024  # of an operand that stays in the first
_NEAR_BYTES = 256 * 1024  # of the rows that are gone through before the lanes move on
_BLOCK_TILES = 4  # the least in such a block of rows
_TIMES_READ = 8  # by tiles, from which on a copy is worth it


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


def plan(part: Part, item_bytes: int, machine: Machine, frame: Frame | None = None) -> Plan:
    """Chooses lanes, rows, the form of the tile and the order of the loops.

    Args:
        part: its axes have extents of at least 1.
        item_bytes: of an element.
        machine: the registers.
        frame: if there is one, the first axis is that of its parts.
    """
    parts = [part.axes[0]] if frame else []
    every = merged(part.axes[len(parts) :])
    lanes = _lanes(every)
    if lanes.summed:
        # Lanes are the inner part of the axis.
        width = _width(lanes.extent, machine.vector_bytes // item_bytes)
        vectors = Axis(lanes.extent // width, width, width, 0)
        every = [vectors if a is lanes else a for a in every]
        lanes = Axis(width, 1, 1, 0)
    free = [a for a in every if not a.summed and a is not lanes]
    tile = _tile(lanes, free, machine.vector_bytes // item_bytes, machine.registers)
    free, tile = _divided(free, tile, item_bytes)
    summed = sorted((a for a in every if a.summed), key=lambda a: -max(abs(a.left), abs(a.right)))
    inner, blocks = _inside(summed, tile, item_bytes)
    around = [a for a in (*summed, *free) if a not in inner or a in blocks]
    around = [a for a in around if a is not tile.rows]
    around.sort(key=lambda a: -a.reach)
    outer = _ordered([*parts, *around], tile, every, item_bytes)
    return Plan(tile, tuple(outer), inner, blocks, part.start, frame)


def _lanes(axes: Sequence[Axis]) -> Axis:
    """The axis that runs in lanes: one that an operand is read along, the output's last if it can.

    Where it is not the output's last, rows go along that, and tiles are transposed when they are
    written. If there is none, it is a summed one that both operands are read along.
    """
    found = [a for a in axes if not a.summed and (a.left, a.right) in ((0, 1), (1, 0), (1, 1))]
    found = [a for a in found if a.out == 1] or found
    if found and any(a.out == 1 for a in axes):
        return found[0]
    dots = [a for a in axes if a.summed and a.left == a.right == 1 and a.extent % _LEAST == 0]
    return dots[0] if dots else _NONE


def _width(extent: int, widest: int) -> int:
    """The lanes of the widest vectors that an axis is made of."""
    return min(widest, extent & -extent)


def _tile(lanes: Axis, free: Sequence[Axis], widest: int, registers: int) -> Tile:
    """The form that takes the fewest cycles; of equal ones, rows that lie close together."""
    turned = lanes.out != 1  # rows become vectors when they are written
    if turned and not lanes.summed:
        free = [a for a in free if a.out == 1]
    width = widest
    while width > 1 and width // 2 >= lanes.extent:
        width //= 2
    blocks = -(-lanes.extent // width)
    found: list[Tile] = []
    for vectors in range(1, min(blocks, _MOST_VECTORS) + 1):
        most = max(1, (registers - 1 - vectors) // vectors)
        most = min(most, widest) if turned else most
        for rows in free if turned and not lanes.summed else (*free, _NONE):
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
