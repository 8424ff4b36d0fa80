"""The steps of a block as calls: of the functions of nests, of libraries, of the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._kernels import builder as llvm, product, scalar
from ..core.loops import Branch, Contract, Loop, Opaque, Parallel
from . import collectives, control
from .block import Block
from .emit import NestEmitter
from .loop_graph import Node
from .meetings import Meeting
from .memory import Buffer, scratch_bytes
from .module import ModuleWriter, Path
from .nests import Kernel, Nest
from .operands import Matrix, Shape, matrix, shape_of
from .schedule import NestPlan
from .sharing import pointers_of, shared, shared_products
from .updates import UpdateEmitter, update_plan

Operand = llvm.Operand
Value = llvm.Value
Call = Callable[
    [llvm.Builder, Value, Value, Value], None
]  # writes a product of two matrices into a third
Place = Callable[[Buffer], Value]  # the pointer to an input, an output or the workspace


class StepWriter:
    """Writes the steps of a block into a builder.

    Args:
        module: where the functions go.
        block: the steps.
        builder: the body they are called from; it returns a status.
        inputs, outputs: makes the pointer to an input or output.
        workspace: the start of the block's workspace.
        path: where the block stands in the program.
    """

    def __init__(
        self,
        module: ModuleWriter,
        block: Block,
        builder: llvm.Builder,
        inputs: Callable[[int], Value],
        outputs: Callable[[int], Value],
        workspace: Callable[[], Value],
        path: Path = (),
    ) -> None:
        self.module = module
        self.block = block
        self.b = builder
        self.inputs = inputs
        self.outputs = outputs
        self.workspace = workspace
        self.path = path

    def run(self) -> None:
        memory = self.block.memory
        for number, step in enumerate(self.block.fused.steps):
            if isinstance(step, Nest):
                self.nest(number, step)
            else:
                self.kernel(number, step)
        for node, position in memory.copies:
            self.module.copy(self.b, self.pointer(node), self.outputs(position), node.aval.nbytes)

    # -- memory --

    def at(self, node: Node, buffer: Buffer) -> Value:
        if buffer.kind == "input":
            return self.inputs(buffer.position)
        if buffer.kind == "output":
            return self.outputs(buffer.position)
        if buffer.kind == "data":
            return self.module.data(self.b, node)
        return self.b.pointer(self.workspace(), "i8", buffer.position)

    def pointer(self, node: Node) -> Value:
        return self.at(node, self.block.memory.of[node])

    # -- nests --

    def nest(self, number: int, nest: Nest) -> None:
        memory = self.block.memory
        kept = [(n, memory.scratch[number, n]) for n in nest.kept]
        buffers = [(n, memory.of[n]) for n in self.touched(number) if n in memory.of]
        for plan in self.block.plans[number]:
            self.range(plan, buffers, kept, number in memory.in_place)

    def range(
        self,
        plan: NestPlan,
        buffers: Sequence[tuple[Node, Buffer]],
        kept: Sequence[tuple[Node, Buffer]],
        in_place: bool,
    ) -> None:
        """A nest, or its part for a range of an index; threads share it if it is worth it."""
        stored = self.block.fused.stored
        rooms = {n: scratch_bytes(plan, n) for n, _ in kept}
        share = shared(plan, stored, sum(rooms.values()))
        if share is None:
            self.function(
                [*buffers, *kept],
                lambda b, pointers: NestEmitter(plan, b, pointers, stored, in_place).run(),
            )
            return
        b = self.module.builder()
        context, start, stop = self.module.range_parameters(b)
        nodes = [n for n, _ in buffers]
        pointers = dict(zip(nodes, pointers_of(b, context, len(nodes)), strict=True))
        for k, (n, nbytes) in enumerate(rooms.items()):
            b.line(f"%scratch{k} = alloca [{nbytes} x i8], align 64", 0)
            pointers[n] = Value(b, f"%scratch{k}", "ptr", 1, 0)
        NestEmitter(plan, b, pointers, stored, in_place, (start, stop)).run()
        self.module.run_shared(self.b, b, [self.at(n, where) for n, where in buffers], share)

    def touched(self, number: int) -> list[Node]:
        fused = self.block.fused
        return sorted(fused.reads[number] | fused.writes[number], key=lambda n: n.id)

    def function(self, buffers: Sequence[tuple[Node, Buffer]], write: Any) -> None:
        """Writes a function of pointers once for equal bodies, and calls it."""
        b = self.module.builder()
        parameters = self.module.parameters(b, "p", len(buffers))
        write(b, {n: p for (n, _), p in zip(buffers, parameters, strict=True)})
        name = self.module.function("nest", parameters, b)
        self.module.call(self.b, name, [self.at(n, where) for n, where in buffers])

    # -- kernels --

    def kernel(self, number: int, step: Kernel) -> None:
        node = step.node
        if isinstance(node.loop, Contract):
            self.contract(node)
        elif isinstance(node.loop, Opaque):
            self.host(node)
        elif isinstance(node.loop, Meeting):
            pointers = [self.pointer(x) for x in (*node.inputs, node)]
            collectives.meet(self.module, self.b, node, pointers)
        elif isinstance(node.loop, Loop | Branch | Parallel):
            self.call_part(node)
        else:
            self.update(number, step)

    def update(self, number: int, step: Kernel) -> None:
        node = step.node
        stored = self.block.fused.stored
        buffers = [(n, self.block.memory.of[n]) for n in self.touched(number)]
        if node not in self.block.memory.without_copy and step.copy is not None:
            (plan,) = self.block.plans[number]
            self.function(
                buffers, lambda b, pointers: NestEmitter(plan, b, pointers, stored, False).run()
            )
        plan = update_plan(node, self.module.target.vector_bytes)
        self.function(
            buffers, lambda b, pointers: UpdateEmitter(plan, b, pointers, stored, node).run()
        )

    def call_part(self, node: Node) -> None:
        """A loop or a branch: a function of the pointers of its inputs, outputs and workspace."""
        part = self.block.parts[node]
        name = control.function(self.module, part, (*self.path, node.equation), StepWriter)
        memory = self.block.memory
        pointers = [self.pointer(x) for x in (*node.inputs, *node.siblings)]
        self.module.call_checked(self.b, name, [*pointers, self.at(node, memory.inner[node])])

    def contract(self, node: Node) -> None:
        """A product, or one for each element of a batch."""
        sizes = shape_of(node)
        left, right = self.operand(node, 0), self.operand(node, 1)
        element = scalar.element(node.dtype)
        a, b = left[0], right[0]
        target = self.module.target
        if product.is_offered(target.vector_bytes, target.has_fma):
            call = self.own_product(element, sizes, a, b)
        else:
            call = self.blas_product(node, element, sizes, a, b)
        bases = (
            self.b.pointer(left[1], element, a.offset),
            self.b.pointer(right[1], element, b.offset),
            self.pointer(node),
        )
        if sizes.count == 1:
            call(self.b, *bases)
        else:
            self.batched(sizes, (a.batch, b.batch), bases, element, call)

    def own_product(self, element: str, sizes: Shape, a: Matrix, b: Matrix) -> Call:
        module = self.module
        module.products.add(element)
        name = product.entry(element)
        kinds = ("i64", "i64", "i64", *("ptr", "i64", "i64") * 2, "ptr", "i64")
        module.declarations.add(f"declare void @{name}({', '.join(kinds)})")

        def call(where: llvm.Builder, pa: Value, pb: Value, pc: Value) -> None:
            given = (sizes.m, sizes.n, sizes.k, pa.name, a.free, a.contracted,
                     pb.name, b.contracted, b.free, pc.name, sizes.n)  # fmt: skip
            arguments = ", ".join(f"{t} {x}" for t, x in zip(kinds, given, strict=True))
            where.line(f"call void @{name}({arguments})")

        return call

    def blas_product(self, node: Node, element: str, sizes: Shape, a: Matrix, b: Matrix) -> Call:
        """Row-major C = A B is column-major C' = B' A': the operands change places."""
        module = self.module
        routine = f"{'s' if node.dtype == 'float32' else 'd'}gemm"
        module.routines.add(routine)
        transpose_a, lead_a = _layout(a.contracted, a.free, sizes.k)
        transpose_b, lead_b = _layout(b.free, b.contracted, sizes.n)
        one, zero = module.real(element, 1.0), module.real(element, 0.0)
        integers = [module.integer(v) for v in (sizes.n, sizes.m, sizes.k, lead_b, lead_a, sizes.n)]
        n, m, k, ldb, lda, ldc = integers
        flags = module.letter(transpose_b), module.letter(transpose_a)
        kinds = ", ".join(["ptr"] * 13)
        module.declarations.add(f"declare void @{routine}({kinds})")

        def call(where: llvm.Builder, pa: Value, pb: Value, pc: Value) -> None:
            names = [*flags, n, m, k, one, pb.name, ldb, pa.name, lda, zero, pc.name, ldc]
            arguments = ", ".join(f"ptr {name}" for name in names)
            where.line(f"call void @{routine}({arguments})")

        return call

    def batched(
        self,
        sizes: Shape,
        strides: Sequence[Sequence[int]],
        bases: Sequence[Value],
        element: str,
        call: Call,
    ) -> None:
        """One product per element of the batch, which threads share where it is worth it."""
        c_strides, step = [], sizes.m * sizes.n
        for extent in reversed(sizes.batch):
            c_strides.insert(0, step)
            step *= extent
        every = (*strides, c_strides)

        def run(b: llvm.Builder, pointers: Sequence[Value], start: Operand, stop: Operand) -> None:
            with b.loop(stop, start=start) as loop:
                rest, offsets = loop.index, [b.constant("i64", 0)] * 3
                for d in reversed(range(len(sizes.batch))):
                    extent = sizes.batch[d]
                    if extent == 1:
                        continue
                    at = b.binary("urem", rest, extent) if d else rest
                    rest = b.binary("udiv", rest, extent) if d else rest
                    offsets = [o + at * s[d] for o, s in zip(offsets, every, strict=True)]
                places = zip(pointers, offsets, strict=True)
                call(b, *(b.pointer(p, element, o) for p, o in places))

        share = shared_products(sizes.count, sizes.m * sizes.n * sizes.k)
        if share is None or self.module.routines:
            run(self.b, bases, 0, sizes.count)
            return
        b = self.module.builder()
        context, start, stop = self.module.range_parameters(b)
        run(b, pointers_of(b, context, len(bases)), start, stop)
        self.module.run_shared(self.b, b, bases, share)

    def operand(self, node: Node, side: int) -> tuple[Any, Value]:
        found = matrix(node, side)
        assert found is not None, f"operand {side} of {node.describe()} is no matrix in memory"
        return found, self.pointer(found.base)

    # -- the host --

    def host(self, node: Node) -> None:
        module, b = self.module, self.b
        index = len(module.host_calls)
        module.host_calls.append((*self.path, node.equation))
        nodes = [*node.inputs, *node.siblings]
        # Room for the pointers of one call, in the frame of the function and not of each iteration.
        block = Value(b, f"%host{index}", "ptr", 1, 0)
        b.line(f"{block.name} = alloca [{len(nodes)} x ptr], align 8", 0)
        for k, x in enumerate(nodes):
            where = self.pointer(x) if x in self.block.memory.of else b.constant("ptr", 0)
            b.store_pointer(where, b.pointer(block, "ptr", k))
        module.declarations.add(f"declare i32 @host_{index}(ptr)")
        module.call_checked(b, f"host_{index}", [block])


def _layout(unit: int, lead: int, least: int) -> tuple[str, int]:
    """(BLAS's letter, leading dimension) of a matrix with column stride `unit`, row `lead`."""
    if unit == 1 and lead >= 1:
        return "N", max(lead, least, 1)
    return "T", max(unit, 1)
