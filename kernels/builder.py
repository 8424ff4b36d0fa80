"""A builder of LLVM IR text with explicit vectors, for straight-line formulas inside loop nests.

Three things are done while the text is written, so that no LLVM pass is needed for them afterwards:

* equal pure instructions are written once (value numbering);
* an instruction is written in the outermost loop in which its operands are known (code motion);
* a value that is the same in all lanes stays scalar until it meets a vector (uniformity).

Values carry an element type and a number of lanes; an operation on operands of different lanes
splats the scalar one. Python numbers are accepted wherever a value is, and take the element type of
the other operand.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from .control import Branch, Control, Loop, Scope, While
from .literals import BITS, INTEGER_OF, SUFFIX, Number, literal, vector_type
from .values import Operand, Value

__all__ = [
    "Branch",
    "Builder",
    "Loop",
    "Operand",
    "Scope",
    "Value",
    "While",
    "literal",
    "vector_type",
]


class Builder(Control):
    """Writes the body of one LLVM function.

    `fused` says whether the target has a fused multiply-add; where it has none, `fma` becomes
    `fmuladd`, which LLVM expands to a product and a sum instead of a library call. `vector_bytes`
    is the width of the target's vector registers.
    """

    def __init__(self, *, fused: bool = True, vector_bytes: int = 16) -> None:
        self.fused = fused
        self.vector_bytes = vector_bytes
        self.declarations: set[str] = set()
        self.functions: dict[tuple[object, ...], tuple[str, str]] = {}  # of `scalar.outline`
        self.scopes = [Scope(label="entry")]
        self.counter = 0

    # -- values ---------------------------------------------------------------------------------

    def constant(self, element: str, number: Number, lanes: int = 1) -> Value:
        text = literal(element, number)
        if lanes > 1:
            text = f"splat ({element} {text})"
        return Value(self, text, element, lanes, 0, number)

    def bits_constant(self, element: str, pattern: int) -> Value:
        """A float constant given by its bit pattern."""
        if element == "float":
            (number,) = struct.unpack(">f", struct.pack(">I", pattern))
        else:
            (number,) = struct.unpack(">d", struct.pack(">Q", pattern))
        return self.constant(element, number)

    def lift(self, operand: Operand, like: Value) -> Value:
        return operand if isinstance(operand, Value) else self.constant(like.element, operand)

    def fresh(self) -> str:
        self.counter += 1
        return f"%v{self.counter}"

    @property
    def depth(self) -> int:
        return len(self.scopes) - 1

    def line(self, text: str, depth: int | None = None) -> None:
        self.scopes[self.depth if depth is None else depth].lines.append("  " + text)

    def define(
        self,
        element: str,
        lanes: int,
        text: str,
        operands: Sequence[Value],
        *,
        pinned: bool = False,
    ) -> Value:
        """Writes `%v = text` once, in the outermost scope that knows the operands."""
        depth = self.depth if pinned else max((v.depth for v in operands), default=0)
        memo = self.scopes[depth].memo
        key = (text,)
        if not pinned and key in memo:
            return memo[key]
        value = Value(self, self.fresh(), element, lanes, depth)
        self.line(f"{value.name} = {text}", depth)
        if not pinned:
            memo[key] = value
        return value

    def splat(self, value: Value, lanes: int) -> Value:
        """The value in all of `lanes` lanes."""
        if value.lanes == lanes:
            return value
        if value.lanes != 1:
            raise ValueError(f"cannot splat {value!r} to {lanes} lanes")
        if value.number is not None:
            return self.constant(value.element, value.number, lanes)
        one = f"<{lanes} x {value.element}>"
        if value.name == "undef" or value.name == "poison":
            return Value(self, value.name, value.element, lanes, 0)
        first = self.define(
            value.element,
            lanes,
            f"insertelement {one} poison, {value.type} {value.name}, i64 0",
            [value],
        )
        mask = f"<{lanes} x i32> zeroinitializer"
        return self.define(
            value.element, lanes, f"shufflevector {one} {first.name}, {one} poison, {mask}", [first]
        )

    def align_lanes(self, *values: Value) -> tuple[Value, ...]:
        lanes = max(v.lanes for v in values)
        return tuple(self.splat(v, lanes) for v in values)

    # -- instructions ---------------------------------------------------------------------------

    def binary(self, op: str, x: Operand, y: Operand, flags: str = "") -> Value:
        like = x if isinstance(x, Value) else y
        if not isinstance(like, Value):
            raise TypeError(f"{op} needs a value, got {x!r} and {y!r}")
        a, b = self.align_lanes(self.lift(x, like), self.lift(y, like))
        if a.element != b.element:
            raise TypeError(f"{op} of {a!r} and {b!r}")
        flags = flags + " " if flags else ""
        return self.define(a.element, a.lanes, f"{op} {flags}{a.type} {a.name}, {b.name}", (a, b))

    def unary(self, op: str, x: Value) -> Value:
        return self.define(x.element, x.lanes, f"{op} {x.type} {x.name}", (x,))

    def compare(self, predicate: str, x: Operand, y: Operand) -> Value:
        """`predicate` is LLVM's: oeq olt ult une ... for floats; eq ne slt ult ... for integers."""
        like = x if isinstance(x, Value) else y
        if not isinstance(like, Value):
            raise TypeError(f"compare needs a value, got {x!r} and {y!r}")
        a, b = self.align_lanes(self.lift(x, like), self.lift(y, like))
        op = "fcmp" if a.is_float else "icmp"
        return self.define("i1", a.lanes, f"{op} {predicate} {a.type} {a.name}, {b.name}", (a, b))

    def select(self, condition: Value, x: Operand, y: Operand) -> Value:
        """`x` where the condition holds, else `y`; of vectors too, without a branch."""
        like = x if isinstance(x, Value) else y
        if not isinstance(like, Value):
            raise TypeError(f"select needs a value, got {x!r} and {y!r}")
        c, a, b = self.align_lanes(condition, self.lift(x, like), self.lift(y, like))
        return self.define(
            a.element,
            a.lanes,
            f"select {c.type} {c.name}, {a.type} {a.name}, {b.type} {b.name}",
            (c, a, b),
        )

    def cast(self, op: str, x: Value, element: str) -> Value:
        """`op` is LLVM's: sitofp fptosi zext trunc fpext fptrunc bitcast ..."""
        target = vector_type(element, x.lanes)
        return self.define(element, x.lanes, f"{op} {x.type} {x.name} to {target}", (x,))

    def bits(self, x: Value) -> Value:
        """The bit pattern of a float as an integer of the same width."""
        return self.cast("bitcast", x, INTEGER_OF[x.element])

    def float_of_bits(self, x: Value, element: str) -> Value:
        return self.cast("bitcast", x, element)

    def shift_right(self, x: Value, y: Operand) -> Value:
        return self.binary("lshr", x, y)

    def shift_right_arithmetic(self, x: Value, y: Operand) -> Value:
        return self.binary("ashr", x, y)

    def suffix(self, x: Value) -> str:
        name = SUFFIX.get(x.element, x.element)
        return name if x.lanes == 1 else f"v{x.lanes}{name}"

    def intrinsic(self, name: str, *operands: Operand, immediate: str = "") -> Value:
        """`llvm.<name>.<type>` of operands of one type: fabs sqrt floor maximum ctpop ..."""
        like = next(v for v in operands if isinstance(v, Value))
        values = self.align_lanes(*(self.lift(v, like) for v in operands))
        first = values[0]
        function = f"llvm.{name}.{self.suffix(first)}"
        extra = ", " + immediate if immediate else ""
        types = ", ".join(v.type for v in values) + (
            ", " + immediate.split()[0] if immediate else ""
        )
        self.declarations.add(f"declare {first.type} @{function}({types})")
        arguments = ", ".join(f"{v.type} {v.name}" for v in values) + extra
        return self.define(
            first.element, first.lanes, f"call {first.type} @{function}({arguments})", values
        )

    def fma(self, x: Operand, y: Operand, z: Operand) -> Value:
        """x * y + z, rounded once where the target has the instruction."""
        return self.intrinsic("fma" if self.fused else "fmuladd", x, y, z)

    def fabs(self, x: Value) -> Value:
        return self.intrinsic("fabs", x)

    def copysign(self, magnitude: Operand, sign: Value) -> Value:
        return self.intrinsic("copysign", magnitude, sign)

    def sqrt(self, x: Value) -> Value:
        return self.intrinsic("sqrt", x)

    def horner(self, x: Value, coefficients: Sequence[float]) -> Value:
        """The polynomial of these coefficients, lowest power first: short code, long chain."""
        result: Operand = coefficients[-1]
        for coefficient in coefficients[-2::-1]:
            result = self.fma(result, x, coefficient)
        return self.lift(result, x)

    def estrin(self, x: Value, coefficients: Sequence[Operand]) -> Value:
        """The same polynomial by pairs: a chain of logarithmic length."""
        terms: list[Operand] = list(coefficients)
        power = x
        while len(terms) > 1:
            pairs = zip(terms[0::2], terms[1::2], strict=False)
            odd = [terms[-1]] if len(terms) % 2 else []
            terms = [self.fma(high, power, low) for low, high in pairs] + odd
            power = power * power if len(terms) > 1 else power
        return self.lift(terms[0], x)

    def lane_index(self, lanes: int, element: str = "i64") -> Value:
        """The vector 0, 1, ..., lanes - 1 (a scalar 0 for one lane)."""
        if lanes == 1:
            return self.constant(element, 0)
        text = "<" + ", ".join(f"{element} {i}" for i in range(lanes)) + ">"
        return Value(self, text, element, lanes, 0)

    def lane_mask(self, lanes: int, count: int) -> Value:
        """The constant mask of the first `count` of `lanes` lanes."""
        bits = ", ".join("i1 true" if i < count else "i1 false" for i in range(lanes))
        return Value(self, f"<{bits}>", "i1", lanes, 0)

    def extract(self, x: Value, lane: int) -> Value:
        if x.lanes == 1:
            return x
        return self.define(x.element, 1, f"extractelement {x.type} {x.name}, i64 {lane}", (x,))

    def insert(self, x: Value, scalar: Value, lane: int) -> Value:
        return self.define(
            x.element,
            x.lanes,
            f"insertelement {x.type} {x.name}, {scalar.type} {scalar.name}, i64 {lane}",
            (x, scalar),
        )

    def shuffle(self, x: Value, lanes: Sequence[int], y: Value | None = None) -> Value:
        """The named lanes of `x`, with those of `y` behind them; one lane of x gives a scalar."""
        if len(lanes) == 1 and y is None:
            return self.extract(x, lanes[0])
        mask = ", ".join(f"i32 {lane}" for lane in lanes)
        n = len(lanes)
        second, both = ("poison", (x,)) if y is None else (y.name, (x, y))
        text = f"shufflevector {x.type} {x.name}, {x.type} {second}, <{n} x i32> <{mask}>"
        return self.define(x.element, n, text, both)

    def concatenate(self, low: Value, high: Value) -> Value:
        """The lanes of one vector, then those of another of the same type."""
        return self.shuffle(low, range(2 * low.lanes), high)

    def reshaped(self, x: Value, element: str, lanes: int) -> Value:
        """The same bits as lanes of another width."""
        text = f"bitcast {x.type} {x.name} to {vector_type(element, lanes)}"
        return self.define(element, lanes, text, (x,))

    def call(
        self, result: tuple[str, int] | None, function: str, operands: Sequence[Value]
    ) -> Value | None:
        """A call with effects: never moved, never merged. Types are those of the operands."""
        types = ", ".join(v.type for v in operands)
        arguments = ", ".join(f"{v.type} {v.name}" for v in operands)
        returns = "void" if result is None else vector_type(*result)
        self.declarations.add(f"declare {returns} @{function}({types})")
        text = f"call {returns} @{function}({arguments})"
        if result is None:
            self.line(text)
            return None
        return self.define(result[0], result[1], text, operands, pinned=True)

    # -- memory ---------------------------------------------------------------------------------

    def pointer(self, base: Value, element: str, offset: Operand) -> Value:
        """The address of item `offset` (i64s) of an array of `element` at `base`."""
        index = offset if isinstance(offset, Value) else self.constant("i64", offset)
        if index.number == 0 and index.lanes == 1:
            return base
        stored = "i8" if element == "i1" else element
        text = f"getelementptr {stored}, {base.type} {base.name}, {index.type} {index.name}"
        return self.define("ptr", max(base.lanes, index.lanes), text, (base, index))

    def load(
        self,
        element: str,
        address: Value,
        lanes: int = 1,
        *,
        invariant: bool = False,
        mask: Value | None = None,
    ) -> Value:
        """Reads `lanes` neighbours at a scalar address, or an item at each address of a vector.

        Booleans are stored as bytes. With a mask (i1 lanes), masked lanes read nothing and give 0.
        `invariant` says that the memory does not change while the function runs: such a read moves
        out of loops, but never above a barrier scope.
        """
        stored = "i8" if element == "i1" else element
        if address.lanes > 1:
            value = self._gather(stored, address, mask, invariant)
        else:
            value = self._load(stored, address, lanes, mask, invariant)
        return self.compare("ne", value, 0) if element == "i1" else value

    def _load(
        self, stored: str, address: Value, lanes: int, mask: Value | None, invariant: bool
    ) -> Value:
        kind = vector_type(stored, lanes)
        align = max(1, BITS[stored] // 8)
        if mask is None:
            text = f"load {kind}, ptr {address.name}, align {align}"
            return self._read(stored, lanes, text, (address,), invariant)
        suffix = f"v{lanes}{SUFFIX.get(stored, stored)}"
        masks = f"<{lanes} x i1>"
        self.declarations.add(
            f"declare {kind} @llvm.masked.load.{suffix}.p0(ptr, i32, {masks}, {kind})"
        )
        text = (
            f"call {kind} @llvm.masked.load.{suffix}.p0(ptr {address.name}, i32 {align}, "
            f"{masks} {mask.name}, {kind} zeroinitializer)"
        )
        return self._read(stored, lanes, text, (address, mask), invariant)

    def _gather(self, stored: str, address: Value, mask: Value | None, invariant: bool) -> Value:
        lanes = address.lanes
        kind = vector_type(stored, lanes)
        align = max(1, BITS[stored] // 8)
        suffix = f"v{lanes}{SUFFIX.get(stored, stored)}"
        masks = f"<{lanes} x i1>"
        active = self.constant("i1", True, lanes) if mask is None else self.splat(mask, lanes)
        name = f"llvm.masked.gather.{suffix}.v{lanes}p0"
        self.declarations.add(f"declare {kind} @{name}({address.type}, i32, {masks}, {kind})")
        text = (
            f"call {kind} @{name}({address.type} {address.name}, i32 {align}, "
            f"{masks} {active.name}, {kind} zeroinitializer)"
        )
        return self._read(stored, lanes, text, (address, active), invariant)

    def _read(
        self, stored: str, lanes: int, text: str, operands: Sequence[Value], invariant: bool
    ) -> Value:
        if not invariant:
            return self.define(stored, lanes, text, operands, pinned=True)
        depth = max(v.depth for v in operands)
        barriers = [d for d, scope in enumerate(self.scopes) if scope.barrier]
        depth = max([depth, *barriers])
        memo = self.scopes[depth].memo
        if (text,) not in memo:
            value = Value(self, self.fresh(), stored, lanes, depth)
            self.line(f"{value.name} = {text}", depth)
            memo[(text,)] = value
        return memo[(text,)]

    def store(self, value: Value, address: Value, *, mask: Value | None = None) -> None:
        """Writes neighbours at a scalar address, or one item per lane of a vector of addresses."""
        if value.element == "i1":
            value = self.cast("zext", value, "i8")
        lanes = max(value.lanes, address.lanes, 1 if mask is None else mask.lanes)
        value = self.splat(value, lanes)
        align = max(1, BITS[value.element] // 8)
        if address.lanes == 1 and mask is None:
            self.line(f"store {value.type} {value.name}, ptr {address.name}, align {align}")
            return
        masks = f"<{lanes} x i1>"
        active = self.constant("i1", True, lanes) if mask is None else self.splat(mask, lanes)
        if address.lanes == 1:
            name = f"llvm.masked.store.{self.suffix(value)}.p0"
            self.declarations.add(f"declare void @{name}({value.type}, ptr, i32, {masks})")
        else:
            name = f"llvm.masked.scatter.{self.suffix(value)}.v{lanes}p0"
            self.declarations.add(
                f"declare void @{name}({value.type}, {address.type}, i32, {masks})"
            )
        self.line(
            f"call void @{name}({value.type} {value.name}, {address.type} {address.name}, "
            f"i32 {align}, {masks} {active.name})"
        )

    def store_pointer(self, value: Value, address: Value) -> None:
        """Writes an address into memory."""
        self.line(f"store ptr {value.name}, ptr {address.name}, align 8")

    # -- text -----------------------------------------------------------------------------------

    def body(self) -> str:
        if len(self.scopes) != 1:
            raise ValueError("a loop or a branch is still open")
        return "\n".join(self.scopes[0].lines)
