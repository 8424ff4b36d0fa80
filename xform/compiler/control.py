"""Loops and branches as functions: the steps inside them, and where what they carry lives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._kernels import builder as llvm
from ..core.loops import Branch, Parallel
from . import polling
from .collectives import run_apart
from .loop_graph import carried
from .module import ModuleWriter, Path
from .parts import Part

Value = llvm.Value
Steps = Callable[..., Any]  # `steps.StepWriter`


def function(module: ModuleWriter, part: Part, path: Path, steps: Steps) -> str:
    """Writes the function of a loop or a branch, and gives its name.

    It takes the pointers of the node's inputs, its outputs and its workspace, and returns a status.
    """
    if part.written is not None:
        return part.written.name
    if isinstance(part.node.loop, Parallel):
        return _Apart(module, part, path, steps).write()
    kind = _Branch if isinstance(part.node.loop, Branch) else _Repeat
    if kind is _Repeat and part.node.loop.counted:
        kind = _Counted
    return kind(module, part, path, steps).write()


class _Function:
    """What the functions of loops and branches have in common."""

    def __init__(self, module: ModuleWriter, part: Part, path: Path, steps: Steps) -> None:
        self.module = module
        self.part = part
        self.node = part.node
        self.path = path
        self.steps = steps
        self.b = module.builder()
        self.ins = module.parameters(self.b, "a", len(self.node.inputs))
        self.outs = module.parameters(self.b, "o", len(self.node.siblings))
        (self.workspace,) = module.parameters(self.b, "w", 1)

    def write(self) -> str:
        self.body()
        parameters = [*self.ins, *self.outs, self.workspace]
        return self.module.function("part", parameters, self.b, status=True)

    def body(self) -> None:
        raise NotImplementedError

    def run(
        self,
        name: str,
        inputs: Callable[[int], Value],
        outputs: Callable[[int], Value],
        at: int = 0,
    ) -> None:
        """The steps of one of the programs inside."""
        block = self.part.blocks[name if name in self.part.blocks else str(at)]
        path = (*self.path, name, at)
        writer = self.steps(
            self.module, block, self.b, inputs, outputs, lambda: self.workspace, path
        )
        writer.run()


class _Apart(_Function):
    """Devices that run a program by themselves, each with pointers and a workspace of its own."""

    def body(self) -> None:
        block = self.part.blocks["jaxpr"]
        b = self.module.builder()
        (table,) = self.module.parameters(b, "t", 1)
        first, last = len(self.ins), len(self.ins) + len(block.program.outvars)

        def slot(position: int) -> Value:
            return b.load("ptr", b.pointer(table, "ptr", position), invariant=True)

        writer = self.steps(
            self.module,
            block,
            b,
            slot,
            lambda position: slot(first + position),
            lambda: slot(last),
            (*self.path, "jaxpr", 0),
        )
        writer.run()
        name = self.module.function("device", [table], b, status=True)
        run_apart(
            self.module, self.b, self.part.layout(), name, self.ins, self.outs, self.workspace
        )


class _Branch(_Function):
    """The operands of a branch are those after the index."""

    def body(self) -> None:
        index = self.b.load("i32", self.ins[0])
        operands = list(self.ins[1:])
        for i, o in self.part.pairs:
            nbytes = self.node.siblings[o].aval.nbytes
            self.module.copy_unless_same(self.b, self.ins[i], self.outs[o], nbytes)
            operands[i - 1] = self.outs[o]

        def case(k: int) -> Callable[[], Sequence[Value]]:
            def write() -> Sequence[Value]:
                self.run("branches", operands.__getitem__, self.outs.__getitem__, k)
                return ()

            return write

        self.b.choose(index, [case(k) for k in range(len(self.part.blocks))])


class _Loop(_Function):
    """Carried values live in the output and a second buffer, which change places each iteration.

    The first iteration reads the initial values where they are. A value that the body updates in
    place has one buffer.
    """

    def carried(self) -> list[Value]:
        """Three pointers for each carried value: to read, to write, to write next."""
        offsets = self.part.buffers()
        first, count = carried(self.node)
        pointers: list[Value] = []
        for k in range(count):
            initial, out = self.ins[first + k], self.outs[k]
            if k not in offsets:
                nbytes = self.node.siblings[k].aval.nbytes
                self.module.copy_unless_same(self.b, initial, out, nbytes)
                pointers += [out, out, out]
                continue
            second = self.b.pointer(self.workspace, "i8", offsets[k])
            if self.ends_after_odd():
                # The last iteration writes into the output, unless the first one reads it.
                same = self.b.compare("eq", initial, out)
                write = self.b.select(same, second, out)
                following = self.b.select(same, out, second)
                pointers += [initial, write, following]
            else:
                pointers += [initial, second, out]
        return pointers

    def ends_after_odd(self) -> bool:
        return False

    def turned(self, pointers: Sequence[Value]) -> list[Value]:
        """The pointers for the next iteration."""
        result: list[Value] = []
        for k in range(0, len(pointers), 3):
            _, write, following = pointers[k : k + 3]
            result += [write, following, write]
        return result

    def leave(self, pointers: Sequence[Value]) -> None:
        """What was carried last, into the outputs."""
        for k, out in enumerate(self.outs[: carried(self.node)[1]]):
            nbytes = self.node.siblings[k].aval.nbytes
            self.module.copy_unless_same(self.b, pointers[3 * k], out, nbytes)


class _Counted(_Loop):
    def ends_after_odd(self) -> bool:
        return bool(self.node.params["length"] % 2)

    def body(self) -> None:
        p = self.node.params
        length, consts, carries = p["length"], p["consts"], p["carry"]
        pointers: Sequence[Value] = self.carried()
        program = p["jaxpr"]
        if length:
            meter = polling.Meter(self.module, self.node, length, polling.nanoseconds(self.part))
            meter.begin(self.b)
            with self.b.loop(length, carried=pointers) as loop:
                at = length - 1 - loop.index if p["reverse"] else loop.index
                now = loop.carried

                def sliced(base: Value, nbytes: int) -> Value:
                    return self.b.pointer(base, "i8", at * nbytes)

                def inputs(k: int) -> Value:
                    if k < consts:
                        return self.ins[k]
                    if k < consts + carries:
                        return now[3 * (k - consts)]
                    return sliced(self.ins[k], program.in_avals[k].nbytes)

                def outputs(k: int) -> Value:
                    if k < carries:
                        return now[3 * k + 1]
                    return sliced(self.outs[k], program.out_avals[k].nbytes)

                self.run("jaxpr", inputs, outputs)
                meter.poll(self.b, loop.index)
                loop.carry(*self.turned(now))
            pointers = loop.results
            meter.end(self.b, self.b.constant("i64", length))
        self.leave(pointers)


class _Repeat(_Loop):
    def body(self) -> None:
        p = self.node.params
        first, consts = p["cond_consts"], p["body_consts"]
        pred_aval = p["cond_jaxpr"].out_avals[0]
        pred = self.b.pointer(self.workspace, "i8", self.part.buffers()["pred"])
        meter = polling.Meter(self.module, self.node, None, polling.nanoseconds(self.part))
        pointers = self.carried()
        if not pred_aval.size:
            self.leave(pointers)  # none of no elements goes on
            return
        meter.begin(self.b)
        with self.b.repeat(pointers) as loop:
            now = loop.carried

            def cond_inputs(k: int) -> Value:
                return self.ins[k] if k < first else now[3 * (k - first)]

            def body_inputs(k: int) -> Value:
                return self.ins[first + k] if k < consts else now[3 * (k - consts)]

            self.run("cond_jaxpr", cond_inputs, lambda _: pred)
            loop.leave_unless(self.some(pred, pred_aval.size))
            self.run("body_jaxpr", body_inputs, lambda k: now[3 * k + 1])
            if pred_aval.shape:
                self.freeze(pred, pred_aval.size, now)
            meter.poll(self.b, loop.index)
            loop.carry(*self.turned(now))
        meter.end(self.b, loop.index)
        self.leave(loop.results)

    def some(self, pred: Value, count: int) -> Value:
        """Whether any of the Booleans is true."""
        b = self.b
        total = b.constant("i8", 0)
        with b.loop(count, carried=[total]) as each:
            found = b.load("i8", b.pointer(pred, "i8", each.index))
            each.carry(each.carried[0] | found)
        return b.compare("ne", each.results[0], 0)

    def freeze(self, pred: Value, count: int, now: Sequence[Value]) -> None:
        """Elements whose condition is false keep their values."""
        b = self.b
        with b.loop(count) as each:
            goes_on = b.load("i1", b.pointer(pred, "i8", each.index))
            with b.when(~goes_on):
                for k, out in enumerate(self.node.siblings):
                    row = out.aval.nbytes // count
                    offset = each.index * row
                    read, write = (b.pointer(now[3 * k + j], "i8", offset) for j in (0, 1))
                    self.module.copy(b, read, write, row)
