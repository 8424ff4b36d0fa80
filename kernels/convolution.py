"""The code of sums of products: matrices, convolutions and their gradients, in registers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from .builder import Builder, Value
from .literals import BITS
from .tiling import Axis, Frame, Plan, step

__all__ = ["write"]

Steps = tuple[int, int]
Body = Callable[[Sequence[Value], Steps, Sequence[Value]], Sequence[Value]]

_MOST_UNROLLED = 9
_MOST_PRODUCTS = 256  # in a loop's body
_FAR = 64  # elements from one tile to the next, from which on it is worth asking for them early


def write(
    b: Builder, plans: Sequence[Plan], element: str, pointers: Sequence[Value], size: int
) -> None:
    """Writes the loops of plans, which make parts of one output.

    Args:
        b: the builder.
        plans: one for each part; all have the same frame, or none. What no plan makes is zero.
        element: LLVM's type of the elements.
        pointers: of the left and right array, the output, and the plans' room. The output and the
            room overlap nothing.
        size: the number of elements of the output.
    """
    left, right, out, room = pointers
    panel = max((p.panel for p in plans), default=0)
    writers = [_Writer(b, p, element, room, panel) for p in plans]
    if any(p.accumulates for p in plans) or sum(p.made for p in plans) < size:
        _clear(b, element, out, size)
    for writer in writers[:1]:
        writer.clear_frame()
    for writer in writers:
        writer.run((left, right, out))


def _clear(b: Builder, element: str, target: Value, count: int) -> None:
    nbytes = count * BITS[element] // 8
    b.declarations.add("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    b.line(f"call void @llvm.memset.p0.i64(ptr {target.name}, i8 0, i64 {nbytes}, i1 false)")


class _Writer:
    def __init__(self, b: Builder, given: Plan, element: str, room: Value, panel: int) -> None:
        self.b = b
        self.plan = given
        self.tile = given.tile
        self.element = element
        self.room = room
        self.room_of_frame = b.pointer(room, element, panel)
        self.copied_at = given.first_inside() if given.panel else -1
        self.inner = given.inner  # with the steps in the panel, if there is one

    def clear_frame(self) -> None:
        if self.plan.frame:
            _clear(self.b, self.element, self.room_of_frame, self.plan.frame.size)

    def run(self, pointers: Sequence[Value]) -> None:
        left, right, out = self.plan.start
        # With a frame, the left array is read from its start, and the frame from the plan's.
        starts = (0 if self.plan.frame else left, right, out)
        self.around(0, [self.at(p, n) for p, n in zip(pointers, starts, strict=True)], {})

    def moved(self, pointers: Sequence[Value], axis: Axis, index: Value) -> list[Value]:
        steps = (axis.left, axis.right, axis.out)
        return [
            self.b.pointer(p, self.element, index * step) if step else p
            for p, step in zip(pointers, steps, strict=True)
        ]

    # -- loops --

    def around(self, depth: int, pointers: Sequence[Value], sizes: dict[Axis, int]) -> None:
        """The outer loops from a depth on; `sizes` has how much of an axis is within a tile."""
        if depth == 1 and self.plan.frame:
            pointers = [self.framed(self.plan.frame, pointers[0]), *pointers[1:]]
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

    def framed(self, frame: Frame, source: Value) -> Value:
        """A part of the left array put into the frame; the zeros around it remain."""
        target = self.room_of_frame
        run = 1  # elements of whole dimensions, which are copied at once
        rest = list(frame.dims)
        while rest and rest[-1][0] == rest[-1][1] and rest[-1][2] == 0:
            run *= rest.pop()[0]
        if not rest:
            rest.append((1, 1, 0))
        bits = BITS[self.element]
        self.b.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")

        def copy(depth: int, source: Value, target: Value) -> None:
            size, room, low = rest[depth]
            first, last = max(0, low), min(room, size + low)
            step_from = run * math.prod(n for n, _, _ in rest[depth + 1 :])
            step_to = run * math.prod(n for _, n, _ in rest[depth + 1 :])
            source = self.at(source, (first - low) * step_from)
            target = self.at(target, first * step_to)
            if last <= first:
                return
            if depth == len(rest) - 1:
                nbytes = (last - first) * run * bits // 8
                self.b.line(
                    f"call void @llvm.memcpy.p0.p0.i64(ptr {target.name}, ptr {source.name}, "
                    f"i64 {nbytes}, i1 false)"
                )
                return
            with self.b.loop(last - first) as loop:
                copy(
                    depth + 1,
                    self.b.pointer(source, self.element, loop.index * step_from),
                    self.b.pointer(target, self.element, loop.index * step_to),
                )

        copy(0, source, target)
        return self.at(self.b.hold(target), self.plan.start[0])

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
        # The room's content changes, so that nothing may be read of it before.
        made = self.b.hold(self.room)
        return [made if k == side else p for k, p in enumerate(pointers)]

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
        if tile.lanes.out == 1:
            for (r, v), total in zip(places, sums, strict=True):
                self.give(total, pointers[2], r * tile.rows.out + v * tile.width, masks[v])
            return
        if tile.lanes.summed:
            self.give_dots(sums, pointers[2])
            return
        for v in range(len(masks)):
            rows = [total for (_, of), total in zip(places, sums, strict=True) if of == v]
            columns, mask = self.transposed(rows)
            first = v * tile.width
            for k, column in enumerate(columns[: sizes[tile.lanes] - first]):
                self.give(column, pointers[2], (first + k) * tile.lanes.out, mask)

    def give_dots(self, rows: Sequence[Value], base: Value) -> None:
        """The sum of the lanes of each row, added up for all rows at once, in pairs."""
        columns, mask = self.transposed(rows)
        columns = columns[: rows[0].lanes]
        while len(columns) > 1:
            pairs = zip(columns[0::2], columns[1::2], strict=True)
            columns = [x + y for x, y in pairs]
        if self.tile.rows.out == 1:
            self.give(columns[0], base, 0, mask)
            return
        for k in range(len(rows)):
            self.give(self.b.extract(columns[0], k), base, k * self.tile.rows.out, None)

    def give(self, value: Value, base: Value, offset: int, mask: Value | None) -> None:
        """A vector of the output."""
        address = self.at(base, offset)
        if self.plan.accumulates:
            value = self.b.load(self.element, address, value.lanes, mask=mask) + value
        self.b.store(value, address, mask=mask)

    def transposed(self, rows: Sequence[Value]) -> tuple[list[Value], Value | None]:
        """A vector along the rows for each lane, and which of its own lanes are there, if not all.

        Interleaving the first half of the rows with the second, as often as halves can be taken,
        transposes a square.
        """
        size = 1 << (len(rows) - 1).bit_length()
        width = rows[0].lanes
        mask = self.b.lane_mask(size, len(rows)) if len(rows) < size else None
        zero = self.b.constant(self.element, 0, width)
        filled = [*rows, *([zero] * (size - len(rows)))]
        columns: list[Value] = []
        for first in range(0, width, size):
            lanes = [k % width for k in range(first, first + size)]
            square = [x if size == width else self.b.shuffle(x, lanes) for x in filled]
            if size == 1:
                columns += square
                continue
            for _ in range(size.bit_length() - 1):
                half = size // 2
                pairs = zip(square[:half], square[half:], strict=True)
                square = [z for x, y in pairs for z in self.b.interleaved(x, y)]
            columns += square
        return columns, mask

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
        if axis.left != 1 or tile.lanes.left or overlap or ahead < _FAR:
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
