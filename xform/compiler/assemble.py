"""From fused steps and their memory to one LLVM module: a function per distinct nest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kernels import builder as llvm, scalar
from ..core.loops import Contract, Opaque
from .emit import NestEmitter
from .fuse import Fused
from .index import LoopVar
from .loop_graph import Node
from .lower import is_data
from .memory import Buffer, MemoryPlan
from .nests import Kernel, Nest
from .operands import matrix, shape_of
from .request import ENTRY
from .schedule import NestPlan
from .updates import UpdateEmitter, update_plan

Value = llvm.Value


@dataclass(frozen=True, eq=False)
class Module:
    """The text of a module, and what it needs from outside.

    `routines` are those of libraries; `host_calls` the positions of the equations whose `impl` it
    calls as `host_0`, `host_1`, ... with the pointers of their inputs and outputs, in order.
    """

    text: str
    routines: tuple[str, ...]
    host_calls: tuple[int, ...]


def assemble(
    fused: Fused,
    plans: Mapping[int, NestPlan],
    memory: MemoryPlan,
    vector_bytes: int,
    fma: bool,
) -> Module:
    """The module of `int32_t program(void **buffers)`: inputs, outputs, workspace."""
    return _Assembly(fused, plans, memory, vector_bytes, fma).module()


class _Assembly:
    def __init__(
        self,
        fused: Fused,
        plans: Mapping[int, NestPlan],
        memory: MemoryPlan,
        vector_bytes: int,
        fma: bool,
    ) -> None:
        self.fused = fused
        self.plans = plans
        self.memory = memory
        self.vector_bytes = vector_bytes
        self.fma = fma
        self.main = llvm.Builder(fused=fma)
        self.functions: dict[str, str] = {}
        self.declarations: set[str] = set()
        self.globals: dict[str, str] = {}
        self.routines: set[str] = set()
        self.host_calls: list[int] = []
        self.status: Value | None = None
        self.buffers = Value(self.main, "%buffers", "ptr", 1, 0)
        self.counts = (len(fused.graph.inputs), len(fused.graph.outputs))

    def module(self) -> Module:
        if any(
            isinstance(s, Kernel) and isinstance(s.node.loop, Contract) for s in self.fused.steps
        ):
            self.single_threaded_blas()
        for number, step in enumerate(self.fused.steps):
            if isinstance(step, Nest):
                self.nest(number, step)
            else:
                self.kernel(number, step)
        for node in filter(is_data, self.fused.graph.nodes):
            items = ", ".join(f"i8 {byte}" for byte in np.asarray(node.loop.value).tobytes())
            name = f"@data_{node.id}"
            size = node.aval.nbytes
            self.globals[name] = f"{name} = private constant [{size} x i8] [{items}], align 16"
        for node, position in self.memory.copies:
            self.copy(self.pointer(self.memory.of[node]), self.output(position), node.aval.nbytes)
        result = "0" if self.status is None else self.pending_error()
        if self.routines:
            self.main.line("call void @blas_set_threads(i32 %blas_threads)")
        body = self.main.body()
        self.declarations |= self.main.declarations
        defined = "\n".join(self.functions.values())
        text = "\n".join(
            [
                *sorted(self.globals.values()),
                *sorted(self.declarations),
                defined,
                f"define i32 @{ENTRY}(ptr %buffers) {{\nentry:\n{body}\n  ret i32 {result}\n}}\n",
            ]
        )
        return Module(text, tuple(sorted(self.routines)), tuple(self.host_calls))

    def single_threaded_blas(self) -> None:
        """The library's own threads spin against the caller's: products run in the caller's thread.

        The number of threads that SciPy's other users see is put back at the end.
        """
        self.declarations |= {
            "declare i32 @blas_get_threads()",
            "declare void @blas_set_threads(i32)",
        }
        self.main.line("%blas_threads = call i32 @blas_get_threads()")
        self.main.line("call void @blas_set_threads(i32 1)")

    # -- memory --

    def slot(self, position: int) -> Value:
        address = self.main.pointer(self.buffers, "ptr", position)
        return self.main.load("ptr", address, invariant=True)

    def output(self, position: int) -> Value:
        return self.slot(self.counts[0] + position)

    def pointer(self, buffer: Buffer) -> Value:
        if buffer.kind == "input":
            return self.slot(buffer.position)
        if buffer.kind == "output":
            return self.output(buffer.position)
        if buffer.kind == "data":
            return Value(self.main, f"@data_{buffer.position}", "ptr", 1, 0)
        return self.main.pointer(self.slot(sum(self.counts)), "i8", buffer.position)

    def copy(self, source: Value, target: Value, nbytes: int) -> None:
        if not nbytes:
            return
        self.main.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        self.main.line(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {target.name}, ptr {source.name}, "
            f"i64 {nbytes}, i1 false)"
        )

    # -- nests --

    def nest(self, number: int, nest: Nest) -> None:
        plan = self.plans[number]
        touched = sorted(
            (self.fused.reads[number] | self.fused.writes[number]) & self.memory.of.keys(),
            key=lambda n: n.id,
        )
        kept = [(n, self.memory.scratch[number, n]) for n in nest.kept]
        in_place = number in self.memory.in_place
        buffers = [(n, self.memory.of[n]) for n in touched] + kept
        self.function(
            buffers,
            lambda b, pointers: NestEmitter(plan, b, pointers, self.fused.stored, in_place).run(),
        )

    def function(self, buffers: Sequence[tuple[Node, Buffer]], write: Any) -> None:
        """Writes a function of pointers once for equal bodies, and calls it."""
        b = llvm.Builder(fused=self.fma)
        pointers = {n: Value(b, f"%p{k}", "ptr", 1, 0) for k, (n, _) in enumerate(buffers)}
        write(b, pointers)
        parameters = ", ".join(f"ptr %p{k}" for k in range(len(buffers)))
        body = f"({parameters}) #0 {{\nentry:\n{b.body()}\n  ret void\n}}"
        name = "nest_" + hashlib.sha256(body.encode()).hexdigest()[:16]
        self.functions[name] = f"define internal void @{name}{body}"
        width = f'"prefer-vector-width"="{self.vector_bytes * 8}"'
        self.globals["attributes"] = f"attributes #0 = {{ nounwind noinline {width} }}"
        self.declarations |= b.declarations
        arguments = ", ".join(f"ptr {self.pointer(at).name}" for _, at in buffers)
        self.main.line(f"call void @{name}({arguments})")

    # -- kernels --

    def kernel(self, number: int, step: Kernel) -> None:
        node = step.node
        if isinstance(node.loop, Contract):
            self.contract(node)
        elif isinstance(node.loop, Opaque):
            self.host(node)
        else:
            self.update(number, step)

    def update(self, number: int, step: Kernel) -> None:
        node = step.node
        if node not in self.memory.without_copy and step.copy is not None:
            plan = self.plans[number]
            self.write_with(
                number,
                lambda b, pointers: NestEmitter(plan, b, pointers, self.fused.stored, False).run(),
            )
        plan = update_plan(node, self.vector_bytes)
        self.write_with(
            number,
            lambda b, pointers: UpdateEmitter(plan, b, pointers, self.fused.stored, node).run(),
        )

    def write_with(self, number: int, write: Any) -> None:
        touched = sorted(self.fused.reads[number] | self.fused.writes[number], key=lambda n: n.id)
        self.function([(n, self.memory.of[n]) for n in touched], write)

    def contract(self, node: Node) -> None:
        """Row-major C = A B is column-major C' = B' A': the operands change places."""
        sizes = shape_of(node)
        left, right = self.operand(node, 0), self.operand(node, 1)
        element = scalar.element(node.dtype)
        letter = "s" if node.dtype == "float32" else "d"
        routine = f"{letter}gemm"
        self.routines.add(routine)
        a, a_base = left
        b, b_base = right
        c_base = self.pointer(self.memory.of[node])
        transpose_a, lead_a = _layout(a.contracted, a.free, sizes.k)
        transpose_b, lead_b = _layout(b.free, b.contracted, sizes.n)
        one, zero = self.real(element, 1.0), self.real(element, 0.0)
        integers = [self.integer(v) for v in (sizes.n, sizes.m, sizes.k, lead_b, lead_a, sizes.n)]
        n, m, k, ldb, lda, ldc = integers
        flags = self.letter(transpose_b), self.letter(transpose_a)
        kinds = ", ".join(["ptr"] * 13)
        self.main.declarations.add(f"declare void @{routine}({kinds})")

        def call(pa: Value, pb: Value, pc: Value) -> None:
            names = [*flags, n, m, k, one, pb.name, ldb, pa.name, lda, zero, pc.name, ldc]
            arguments = ", ".join(f"ptr {name}" for name in names)
            self.main.line(f"call void @{routine}({arguments})")

        a_base = self.main.pointer(a_base, element, a.offset)
        b_base = self.main.pointer(b_base, element, b.offset)
        if sizes.count == 1:
            call(a_base, b_base, c_base)
            return
        self.batched(sizes, (a.batch, b.batch), (a_base, b_base, c_base), element, call)

    def batched(self, sizes: Any, strides: Any, bases: Any, element: str, call: Any) -> None:
        """One product per element of the batch, in loops over its dimensions."""
        variables = [LoopVar(f"b{k}", extent) for k, extent in enumerate(sizes.batch)]
        step = sizes.m * sizes.n
        c_strides = []
        for extent in reversed(sizes.batch):
            c_strides.append(step)
            step *= extent
        every = (*strides, tuple(reversed(c_strides)))
        main = self.main

        def loops(rest: Sequence[int], offsets: list[Value]) -> None:
            if not rest:
                call(*(main.pointer(p, element, o) for p, o in zip(bases, offsets, strict=True)))
                return
            d, *inner = rest
            with main.loop(variables[d].extent) as loop:
                moved = [o + loop.index * s[d] for o, s in zip(offsets, every, strict=True)]
                loops(inner, moved)

        zero = main.constant("i64", 0)
        loops(range(len(variables)), [zero, zero, zero])

    def operand(self, node: Node, side: int) -> tuple[Any, Value]:
        found = matrix(node, side)
        assert found is not None, f"operand {side} of {node.describe()} is no matrix in memory"
        return found, self.pointer(self.memory.of[found.base])

    def integer(self, value: int) -> str:
        name = f"@int_{value}"
        self.globals[name] = f"{name} = private constant i32 {value}"
        return name

    def real(self, element: str, value: float) -> str:
        name = f"@{element}_{int(value)}"
        self.globals[name] = f"{name} = private constant {element} {llvm.literal(element, value)}"
        return name

    def letter(self, letter: str) -> str:
        name = f"@letter_{letter}"
        self.globals[name] = f"{name} = private constant i8 {ord(letter)}"
        return name

    # -- the host --

    def host(self, node: Node) -> None:
        nodes = [*node.inputs, *node.siblings]
        index = len(self.host_calls)
        self.host_calls.append(node.equation)
        main = self.main
        count = len(nodes)
        block = Value(main, f"%host{index}", "ptr", 1, 0)
        main.line(f"{block.name} = alloca [{count} x ptr], align 8")
        for k, x in enumerate(nodes):
            memory = self.memory.of.get(x)
            where = main.constant("ptr", 0) if memory is None else self.pointer(memory)
            main.store_pointer(where, main.pointer(block, "ptr", k))
        self.declarations.add(f"declare i32 @host_{index}(ptr)")
        status = Value(main, f"%status{index}", "i32", 1, 0)
        main.line(f"{status.name} = call i32 @host_{index}(ptr {block.name})")
        self.status = status if self.status is None else self.status | status

    def pending_error(self) -> str:
        """Raises in Python what a host call left in `host_error`: its type and value."""
        assert self.status is not None
        self.declarations.add("declare void @PyErr_SetObject(ptr, ptr)")
        self.globals["host_error"] = "@host_error = external global [2 x ptr]"
        main = self.main
        with main.when(main.compare("ne", self.status, 0)):
            main.line("%error_type = load ptr, ptr @host_error")
            main.line("%error_at = getelementptr ptr, ptr @host_error, i64 1")
            main.line("%error_value = load ptr, ptr %error_at")
            main.line("call void @PyErr_SetObject(ptr %error_type, ptr %error_value)")
        return self.status.name


def _layout(unit: int, lead: int, least: int) -> tuple[str, int]:
    """(BLAS's letter, leading dimension) of a matrix with column stride `unit`, row `lead`."""
    if unit == 1 and lead >= 1:
        return "N", max(lead, least, 1)
    return "T", max(unit, 1)
