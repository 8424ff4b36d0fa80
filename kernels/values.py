"""Values of the builder: what an LLVM instruction made, with the operators of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .literals import FLOATS, Number, vector_type

if TYPE_CHECKING:
    from .builder import Builder


class Value:
    """An SSA value: its text, element type, lanes, and the depth of the scope that knows it."""

    __slots__ = ("builder", "depth", "element", "lanes", "name", "number")

    def __init__(
        self,
        builder: Builder,
        name: str,
        element: str,
        lanes: int,
        depth: int,
        number: Number | None = None,
    ) -> None:
        self.builder = builder
        self.name = name
        self.element = element
        self.lanes = lanes
        self.depth = depth
        self.number = number

    @property
    def is_float(self) -> bool:
        return self.element in FLOATS

    @property
    def type(self) -> str:
        return vector_type(self.element, self.lanes)

    def __repr__(self) -> str:
        return f"{self.type} {self.name}"

    def __add__(self, other: Operand) -> Value:
        return self.builder.binary("fadd" if self.is_float else "add", self, other)

    def __radd__(self, other: Operand) -> Value:
        return self.builder.binary("fadd" if self.is_float else "add", other, self)

    def __sub__(self, other: Operand) -> Value:
        return self.builder.binary("fsub" if self.is_float else "sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return self.builder.binary("fsub" if self.is_float else "sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return self.builder.binary("fmul" if self.is_float else "mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return self.builder.binary("fmul" if self.is_float else "mul", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return self.builder.binary("fdiv", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return self.builder.binary("fdiv", other, self)

    def __and__(self, other: Operand) -> Value:
        return self.builder.binary("and", self, other)

    def __or__(self, other: Operand) -> Value:
        return self.builder.binary("or", self, other)

    def __xor__(self, other: Operand) -> Value:
        return self.builder.binary("xor", self, other)

    def __lshift__(self, other: Operand) -> Value:
        return self.builder.binary("shl", self, other)

    def __neg__(self) -> Value:
        return self.builder.unary("fneg", self) if self.is_float else 0 - self

    def __invert__(self) -> Value:
        return self ^ (True if self.element == "i1" else -1)


Operand = Value | bool | int | float
