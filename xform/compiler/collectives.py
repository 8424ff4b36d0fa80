"""Programs that devices run by themselves: calls of `kernels/runtime/devices.c`."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence

from .._kernels import builder as llvm
from ..core.avals import ShapedArray
from ..core.axes import Axes
from ..core.jaxpr import Jaxpr
from .loop_graph import Node
from .meetings import Meeting, Table
from .memory import ALIGNMENT
from .module import ModuleWriter

Value = llvm.Value

_POINTER_BYTES = 8
_LONGEST_NAME = 60


def meet(module: ModuleWriter, b: llvm.Builder, node: Node, pointers: Sequence[Value]) -> None:
    """Calls the function of a meeting; `pointers` are those of its operand, if any, and result."""
    loop: Meeting = node.loop
    table = _table(module, loop.table)
    where = ", ".join(f"ptr {p.name}" for p in pointers)
    if loop.kind == "place":
        kinds, arguments = "ptr, ptr", f"ptr {table}, {where}"
    else:
        number = f"i64 {len(module.meetings)}"
        module.meetings.append(loop.name)
        nbytes = f"i64 {node.inputs[0].aval.nbytes}"
        if loop.kind == "stack":
            kinds = "i64, ptr, i64, ptr, ptr, i64"
            arguments = f"{number}, ptr {table}, i64 {len(loop.table[0])}, {where}, {nbytes}"
        else:
            kinds = "i64, ptr, ptr, ptr, i64"
            arguments = f"{number}, ptr {table}, {where}, {nbytes}"
    name = f"collective_{loop.kind}"
    module.declarations.add(f"declare i32 @{name}({kinds})")
    status = b.define("i32", 1, f"call i32 @{name}({arguments})", (), pinned=True)
    b.return_if(b.compare("ne", status, 0), status)


def _table(module: ModuleWriter, table: Table) -> str:
    numbers = [n for row in table for n in row]
    name = "@table_" + "_".join(map(str, (len(table), *numbers))).replace("-", "m")
    if len(name) > _LONGEST_NAME:
        name = "@table_" + hashlib.sha256(name.encode()).hexdigest()[:16]
    items = ", ".join(f"i64 {n}" for n in numbers)
    module.globals[name] = f"{name} = private constant [{len(numbers)} x i64] [{items}], align 8"
    return name


class Layout:
    """Where the tables, the workspaces and the outputs nobody takes lie in a call's workspace.

    A table has the address of the program, then the pointers of the inputs, the outputs and the
    workspace of one device. What differs between devices lies in blocks, one for each device, of
    the array; along axes where an output is common, the first device writes it.
    """

    def __init__(self, node: Node, program: Jaxpr, workspace_bytes: int) -> None:
        axes: Axes = node.params["axes"]
        self.sizes = [size for _, size in axes]
        self.in_axes = node.params["in_axes"]
        self.out_axes = node.params["out_axes"]
        self.program = program
        self.count = math.prod(self.sizes)
        self.words = len(self.in_axes) + len(self.out_axes) + 2
        self.own_bytes = _aligned(workspace_bytes)
        self.tables = _aligned(self.count * _POINTER_BYTES)
        self.workspaces = self.tables + _aligned(self.count * self.words * _POINTER_BYTES)
        at = self.workspaces + self.count * self.own_bytes
        self.spare: list[list[int]] = []
        for aval, which in zip(program.out_avals, self.out_axes, strict=True):
            common = len(which) < len(self.sizes)
            self.spare.append([at + d * _aligned(aval.nbytes) for d in range(self.count)])
            at += self.count * _aligned(aval.nbytes) if common else 0
        self.total_bytes = at

    def places(self) -> list[tuple[int, ...]]:
        """The position of each device along the axes."""
        return list(itertools.product(*map(range, self.sizes)))

    def block(self, aval: ShapedArray, which: Sequence[int], at: Sequence[int]) -> int:
        """The offset in bytes of a device's block in an array."""
        number = 0
        for k in which:
            number = number * self.sizes[k] + at[k]
        return number * aval.nbytes

    def takes(self, which: Sequence[int], at: Sequence[int]) -> bool:
        """Whether the array's block is this device's to write."""
        return all(at[k] == 0 for k in range(len(self.sizes)) if k not in which)


def _aligned(nbytes: int) -> int:
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def run_apart(
    module: ModuleWriter,
    b: llvm.Builder,
    layout: Layout,
    name: str,
    ins: Sequence[Value],
    outs: Sequence[Value],
    workspace: Value,
) -> None:
    """Lays the tables out, and runs the function `name` on all devices."""
    program = layout.program
    entry = Value(b, f"@{name}", "ptr", 1, 0)
    for d, at in enumerate(layout.places()):
        table = b.pointer(workspace, "i8", layout.tables + d * layout.words * _POINTER_BYTES)
        b.store_pointer(table, b.pointer(workspace, "i8", d * _POINTER_BYTES))
        row = [entry]
        for x, aval, which in zip(ins, program.in_avals, layout.in_axes, strict=True):
            row.append(b.pointer(x, "i8", layout.block(aval, which, at)))
        for k, (y, which) in enumerate(zip(outs, layout.out_axes, strict=True)):
            if layout.takes(which, at):
                row.append(b.pointer(y, "i8", layout.block(program.out_avals[k], which, at)))
            else:
                row.append(b.pointer(workspace, "i8", layout.spare[k][d]))
        row.append(b.pointer(workspace, "i8", layout.workspaces + d * layout.own_bytes))
        for k, pointer in enumerate(row):
            b.store_pointer(pointer, b.pointer(table, "ptr", k))
    module.declarations.add("declare i32 @devices_call(ptr, i64, ptr)")
    call = f"call i32 @devices_call(ptr {workspace.name}, i64 {layout.count}, ptr @meetings)"
    status = b.define("i32", 1, call, (), pinned=True)
    b.return_if(b.compare("ne", status, 0), status)
    module.devices = True
    module.long_running = True
