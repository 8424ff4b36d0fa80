"""Matrix products: the text of an LLVM module that multiplies matrices of any shape and strides.

A product is cut into blocks that fit the caches, blocks into tiles that fit the vector registers.
The rows of a block of the left matrix are copied once, panel by panel, so that a tile reads them
in order; so are the columns of the right matrix that a row of tiles needs. A tile of some rows and
two vectors of columns stays in registers while k runs through the block. (Goto and van de Geijn,
Anatomy of high-performance matrix multiplication, ACM Transactions on Mathematical Software 34,
2008.)

Each element is the sum in order of k, block after block: it does not depend on how rows and columns
are cut, and so not on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .builder import Builder, Operand, Value
from .literals import BITS

_VECTORS = 2  # of columns in a tile
_BLOCK_BYTES = 1 << 15  # of the right matrix: the nearest cache keeps them for a row of tiles
_ROWS_BYTES = 11 << 15  # of the left matrix: the second cache keeps them
_PIECE_OPERATIONS = 2_000_000  # what is worth a thread


@dataclass(frozen=True)
class Tiling:
    """How products of an element type are cut.

    `rows` and `lanes * 2` columns are a tile; `depth` steps of k and `height` rows a block.
    """

    element: str
    lanes: int
    rows: int

    @property
    def columns(self) -> int:
        return _VECTORS * self.lanes

    @property
    def depth(self) -> int:
        return _BLOCK_BYTES * 8 // BITS[self.element] // self.columns

    @property
    def height(self) -> int:
        return _ROWS_BYTES * 8 // BITS[self.element] // self.depth // self.rows * self.rows


def tiling(element: str, vector_bytes: int) -> Tiling:
    """For vectors of a size: registers hold a tile, and what one step of k reads."""
    rows = 14 if vector_bytes == 64 else 6
    return Tiling(element, vector_bytes * 8 // BITS[element], rows)


def is_offered(vector_bytes: int, has_fma: bool) -> bool:
    """Whether a target has products of its own: tiles need registers, and fused operations."""
    return has_fma and vector_bytes >= 32


def entry(element: str) -> str:
    """The name of the function that multiplies matrices of an element type.

    `void(m, n, k, a, row, column, b, row, column, c, row)`: the sizes, then of each matrix its
    address and its strides in elements, all 64-bit; those of c's columns are 1.
    """
    return f"product_{element}"


def module_text(element: str, vector_bytes: int) -> str:
    """The module that defines `entry(element)` and uses `threads_run`."""
    return _Module(tiling(element, vector_bytes), vector_bytes).text()


_POINTERS = ("a", "b", "c")
_FIELDS = ("m", "n", "k", "a", "a_row", "a_column", "b", "b_row", "b_column", "c", "c_row")


class _Module:
    def __init__(self, cut: Tiling, vector_bytes: int) -> None:
        self.cut = cut
        self.functions: list[str] = []
        self.declarations: set[str] = {"declare void @threads_run(ptr, ptr, i64, i64)"}
        self.attributes = (
            f'attributes #0 = {{ nounwind noinline "prefer-vector-width"="{vector_bytes * 8}" }}'
        )

    def text(self) -> str:
        for rows in range(1, self.cut.rows + 1):
            for vectors in range(1, _VECTORS + 1):
                self.tile(rows, vectors)
        self.pack("rows", self.cut.rows, -(-self.cut.rows // self.cut.lanes))
        self.pack("columns", self.cut.columns, _VECTORS)
        self.block()
        self.part("rows")
        self.part("columns")
        self.product()
        tiles = [
            f"ptr @tile_{rows}_{vectors}"
            for rows in range(1, self.cut.rows + 1)
            for vectors in range(1, _VECTORS + 1)
        ]
        table = f"@tiles = internal constant [{len(tiles)} x ptr] [{', '.join(tiles)}]"
        return "\n".join([self.attributes, *sorted(self.declarations), table, *self.functions])

    def define(self, head: str, b: Builder) -> None:
        self.declarations |= b.declarations
        self.functions.append(f"define {head} #0 {{\nentry:\n{b.body()}\n  ret void\n}}")

    # -- tiles --

    def tile(self, rows: int, vectors: int) -> None:
        """C = A B, or C + A B, for a tile: `columns` of its columns are there."""
        cut, b = self.cut, Builder()
        a, right, c = (_pointer(b, name) for name in ("a", "b", "c"))
        k, row, columns = (_integer(b, name) for name in ("k", "row", "columns"))
        more = Value(b, "%more", "i1", 1, 0)
        lanes = b.lane_index(cut.lanes)
        masks = [
            b.compare("ult", lanes + v * cut.lanes, b.splat(columns, cut.lanes))
            for v in range(vectors)
        ]
        start = []
        for i in range(rows):
            for v in range(vectors):
                address = b.pointer(c, cut.element, row * i + v * cut.lanes)
                _ask_for(b, address, write=True)
                old = b.binary("and", masks[v], b.splat(more, cut.lanes))
                start.append(b.load(cut.element, address, cut.lanes, mask=old))
        with b.loop(k, carried=start) as loop:
            panel = b.pointer(a, cut.element, loop.index * cut.rows)
            line = b.pointer(right, cut.element, loop.index * cut.columns)
            xs = [
                b.load(cut.element, b.pointer(line, cut.element, v * cut.lanes), cut.lanes)
                for v in range(vectors)
            ]
            sums = []
            for i in range(rows):
                y = b.load(cut.element, b.pointer(panel, cut.element, i))
                sums += [b.fma(y, x, loop.carried[i * vectors + v]) for v, x in enumerate(xs)]
            loop.carry(*sums)
        for i in range(rows):
            for v in range(vectors):
                address = b.pointer(c, cut.element, row * i + v * cut.lanes)
                b.store(loop.results[i * vectors + v], address, mask=masks[v])
        self.define(
            f"internal void @tile_{rows}_{vectors}(ptr noalias %a, ptr noalias %b, ptr noalias %c, "
            "i64 %k, i64 %row, i64 %columns, i1 %more)",
            b,
        )

    # -- copies --

    def pack(self, name: str, width: int, vectors: int) -> None:
        """Copies `count` lines that are `across` apart side by side: `width` items for each k.

        What is written behind the last line, and behind the last k, is overwritten later or never
        used.
        """
        b = Builder()
        across, along = _integer(b, "across"), _integer(b, "along")
        near, straight = b.compare("eq", across, 1), b.compare("eq", along, 1)
        turned = b.binary("and", straight, b.binary("xor", near, True))
        with b.when(near):
            self.copy_vectors(b, width, vectors, None)
        with b.when(turned):
            self.copy_squares(b, width, vectors)
        with b.when(b.binary("xor", b.binary("or", near, straight), True)):
            self.copy_vectors(b, width, vectors, across)
        self.define(
            f"internal void @pack_{name}(ptr noalias %source, ptr noalias %target, i64 %across, "
            "i64 %along, i64 %count, i64 %k)",
            b,
        )

    def copy_vectors(self, b: Builder, width: int, vectors: int, across: Value | None) -> None:
        """For each k the lines' items, which are neighbours where there is no stride across."""
        cut = self.cut
        along, count, k = (_integer(b, word) for word in ("along", "count", "k"))
        lanes = b.lane_index(cut.lanes)
        with b.loop(k) as loop:
            line = b.pointer(_pointer(b, "source"), cut.element, loop.index * along)
            for v in range(vectors):
                places = lanes + v * cut.lanes
                mask = b.compare("ult", places, b.splat(count, cut.lanes))
                where: Operand = v * cut.lanes if across is None else places * across
                address = b.pointer(line, cut.element, where)
                value = b.load(cut.element, address, cut.lanes, mask=mask)
                into = loop.index * width + v * cut.lanes
                b.store(value, b.pointer(_pointer(b, "target"), cut.element, into))

    def copy_squares(self, b: Builder, width: int, vectors: int) -> None:
        """Vectors along k of as many lines as there are lanes, transposed in registers."""
        cut = self.cut
        across, count, k = (_integer(b, word) for word in ("across", "count", "k"))
        lanes = b.lane_index(cut.lanes)
        with b.loop(_ceil(b, k, cut.lanes)) as loop:
            first = loop.index * cut.lanes
            inside = b.compare("ult", lanes, b.splat(k - first, cut.lanes))
            for v in range(vectors):
                square = []
                for i in range(cut.lanes):
                    line = v * cut.lanes + i
                    there = b.compare("ugt", count, line)
                    mask = b.binary("and", inside, b.splat(there, cut.lanes))
                    where = across * line + first
                    address = b.pointer(_pointer(b, "source"), cut.element, where)
                    following = b.pointer(address, cut.element, across * width)
                    if line < width:
                        _ask_for(b, following)
                    square.append(b.load(cut.element, address, cut.lanes, mask=mask))
                # The first vector of the next k may stand already where this one would go over.
                rest = width - v * cut.lanes
                kept = b.lane_mask(cut.lanes, rest) if v and rest < cut.lanes else None
                for i, items in enumerate(transposed(b, square)):
                    into = (first + i) * width + v * cut.lanes
                    b.store(items, b.pointer(_pointer(b, "target"), cut.element, into), mask=kept)

    # -- blocks --

    def block(self) -> None:
        """The rows from `top` to `bottom` and columns from `left` to `right` of a product."""
        cut, b = self.cut, Builder()
        f = self.fields(b)
        top, bottom, left, right = (_integer(b, x) for x in ("top", "bottom", "left", "right"))
        panel = cut.rows * cut.depth
        b.line(f"%panels = alloca [{cut.height * cut.depth + 64} x {cut.element}], align 64")
        b.line(f"%lines = alloca [{cut.columns * cut.depth + 64} x {cut.element}], align 64")
        panels, lines = _pointer(b, "panels"), _pointer(b, "lines")
        depth = _share(b, f["k"], cut.depth)
        with b.loop(_ceil(b, f["k"], depth)) as steps:
            k = steps.index * depth
            deep = b.intrinsic("umin", depth, f["k"] - k)
            more = b.compare("ne", steps.index, 0)
            a = b.pointer(f["a"], cut.element, f["a_column"] * k)
            right_rows = b.pointer(f["b"], cut.element, f["b_row"] * k)
            with b.loop(_ceil(b, bottom - top, cut.height)) as blocks:
                i = top + blocks.index * cut.height
                height = b.intrinsic("umin", bottom - i, b.constant("i64", cut.height))
                rows = _share(b, height, cut.rows)
                count = _ceil(b, height, rows)

                def each_panel(write: Callable[[Value, Value, Value], None]) -> None:
                    with b.loop(count) as loop:
                        q = loop.index * rows
                        high = b.intrinsic("umin", rows, height - q)
                        place = b.pointer(panels, cut.element, loop.index * panel)
                        write(i + q, high, place)

                def copy_panel(row: Value, high: Value, place: Value) -> None:
                    source = b.pointer(a, cut.element, f["a_row"] * row)
                    self.call(b, "pack_rows", source, place, f["a_row"], f["a_column"], high, deep)

                each_panel(copy_panel)
                with b.loop(_ceil(b, right - left, cut.columns)) as across:
                    j = left + across.index * cut.columns
                    wide = b.intrinsic("umin", right - j, b.constant("i64", cut.columns))
                    source = b.pointer(right_rows, cut.element, f["b_column"] * j)
                    self.call(
                        b, "pack_columns", source, lines, f["b_column"], f["b_row"], wide, deep
                    )
                    vectors = b.cast("zext", b.compare("ugt", wide, cut.lanes), "i64")

                    def write_tile(row: Value, high: Value, place: Value) -> None:
                        c = b.pointer(f["c"], cut.element, f["c_row"] * row + j)
                        number = (high - 1) * _VECTORS + vectors
                        tile = b.load("ptr", b.pointer(_global(b, "tiles"), "ptr", number))
                        self.call(b, tile, place, lines, c, deep, f["c_row"], wide, more)

                    each_panel(write_tile)
        self.define("internal void @block(ptr %context, i64 %top, i64 %bottom, i64 %left, "
                    "i64 %right)", b)  # fmt: skip

    def part(self, axis: str) -> None:
        """A part of the tiles along rows or columns, as `threads_run` hands them out."""
        cut, b = self.cut, Builder()
        f = self.fields(b)
        start, stop = _integer(b, "start"), _integer(b, "stop")
        size, whole = (cut.rows, f["m"]) if axis == "rows" else (cut.columns, f["n"])
        low, high = start * size, b.intrinsic("umin", stop * size, whole)
        zero = b.constant("i64", 0)
        ends = (low, high, zero, f["n"]) if axis == "rows" else (zero, f["m"], low, high)
        self.call(b, "block", _pointer(b, "context"), *ends)
        self.define(f"internal void @part_{axis}(ptr %context, i64 %start, i64 %stop)", b)

    def product(self) -> None:
        """Threads share the rows or the columns, whichever are more tiles."""
        cut, b = self.cut, Builder()
        b.line(f"%context = alloca [{len(_FIELDS)} x i64], align 8")
        context = _pointer(b, "context")
        for k, name in enumerate(_FIELDS):
            place = b.pointer(context, "i64", k)
            kind = "ptr" if name in _POINTERS else "i64"
            b.line(f"store {kind} %{name}, ptr {place.name}, align 8")
        m, n, k = (_integer(b, name) for name in "mnk")
        tall, wide = _ceil(b, m, cut.rows), _ceil(b, n, cut.columns)
        by_rows = b.compare("ugt", tall, wide)
        count = b.select(by_rows, tall, wide)
        work = b.binary("udiv", m * n * k, count)
        grain = b.binary("udiv", b.constant("i64", _PIECE_OPERATIONS), work + 1) + 1
        body = b.select(by_rows, _global(b, "part_rows"), _global(b, "part_columns"))
        self.call(b, "threads_run", body, context, count, grain)
        kinds = ", ".join(f"{'ptr' if x in _POINTERS else 'i64'} %{x}" for x in _FIELDS)
        self.define(f"void @{entry(cut.element)}({kinds})", b)

    def call(self, b: Builder, function: str | Value, *arguments: Value) -> None:
        name = f"@{function}" if isinstance(function, str) else function.name
        b.line(f"call void {name}({', '.join(f'{a.type} {a.name}' for a in arguments)})")

    def fields(self, b: Builder) -> dict[str, Value]:
        """What the context of a product holds."""
        context = _pointer(b, "context")
        found = {}
        for k, name in enumerate(_FIELDS):
            place = b.pointer(context, "i64", k)
            kind = "ptr" if name in _POINTERS else "i64"
            found[name] = b.define(kind, 1, f"load {kind}, ptr {place.name}, align 8", (place,))
        return found


def transposed(b: Builder, rows: Sequence[Value]) -> list[Value]:
    """The columns of a square of vectors: squares of half the size change places, and so on."""
    square, size = list(rows), len(rows)
    step = size // 2
    while step:
        low = [k if not k & step else size + k - step for k in range(size)]
        high = [k + step if not k & step else size + k for k in range(size)]
        for k in range(size):
            if not k & step:
                x, y = square[k], square[k + step]
                square[k], square[k + step] = b.shuffle(x, low, y), b.shuffle(x, high, y)
        step //= 2
    return square


def _ask_for(b: Builder, address: Value, write: bool = False) -> None:
    """Has a line of memory brought into the cache, for what comes next."""
    b.declarations.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    b.line(f"call void @llvm.prefetch.p0(ptr {address.name}, i32 {int(write)}, i32 3, i32 1)")


def _pointer(b: Builder, name: str) -> Value:
    return Value(b, f"%{name}", "ptr", 1, 0)


def _global(b: Builder, name: str) -> Value:
    return Value(b, f"@{name}", "ptr", 1, 0)


def _integer(b: Builder, name: str) -> Value:
    return Value(b, f"%{name}", "i64", 1, 0)


def _ceil(b: Builder, x: Value, size: Operand) -> Value:
    """The number of parts of a size that x has."""
    return b.binary("udiv", x + size - 1, size)


def _share(b: Builder, x: Value, most: int) -> Value:
    """The size of equal parts of x, none larger than `most`."""
    return _ceil(b, x, _ceil(b, x, most))
