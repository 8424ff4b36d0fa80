"""The text of an LLVM module while it is written: what its functions share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._kernels import builder as llvm
from .loop_graph import Node
from .sharing import Shared
from .target import Target

Value = llvm.Value
# Where an equation stands: its position, or that of a loop, the parameter that holds the program,
# which of several programs, and so on down to the position of the equation within.
Path = tuple[int | str, ...]


@dataclass(frozen=True, eq=False)
class Module:
    """The text of a module, and what it needs from outside.

    `routines` are those of libraries, `products` the element types whose matrices it multiplies by
    our own; `host_calls` the places of the equations whose `impl` it
    calls as `host_0`, `host_1`, ... with the pointers of their inputs and outputs, in order;
    `progress` the labels of the loops that report how far they are. `long_running` says that other
    Python threads should be let run meanwhile, `devices` that it runs on several devices,
    `threads` that threads share some of its loops.
    """

    text: str
    routines: tuple[str, ...]
    products: tuple[str, ...]
    host_calls: tuple[Path, ...]
    progress: tuple[tuple[str, int], ...]
    long_running: bool
    devices: bool
    threads: bool


class ModuleWriter:
    """Functions, declarations and constants of a module; equal ones are written once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.functions: dict[str, str] = {}
        self.declarations: set[str] = set()
        self.globals: dict[str, str] = {}
        self.routines: set[str] = set()
        self.products: set[str] = set()
        self.host_calls: list[Path] = []
        self.progress: list[tuple[str, int]] = []
        self.long_running = False
        self.meetings: list[str] = []  # the names of collectives, by number
        self.devices = False
        self.threads = False
        self.contexts = 0
        width = f'"prefer-vector-width"="{target.vector_bytes * 8}"'
        self.globals["attributes"] = f"attributes #0 = {{ nounwind noinline {width} }}"
        self.globals["metadata"] = '!0 = !{!"branch_weights", i32 1, i32 1000000}'

    def builder(self) -> llvm.Builder:
        return llvm.Builder(fused=self.target.has_fma, vector_bytes=self.target.vector_bytes)

    def parameters(self, b: llvm.Builder, prefix: str, count: int) -> list[Value]:
        """Pointers that a function gets."""
        return [Value(b, f"%{prefix}{k}", "ptr", 1, 0) for k in range(count)]

    def function(
        self, kind: str, parameters: Sequence[Value], b: llvm.Builder, status: bool = False
    ) -> str:
        """Enters a function of pointers, and gives its name; with `status` it returns an i32."""
        self.declarations |= b.declarations
        result, last = ("i32", "ret i32 0") if status else ("void", "ret void")
        taken = ", ".join(f"ptr {p.name}" for p in parameters)
        body = f"({taken}) #0 {{\nentry:\n{b.body()}\n  {last}\n}}"
        name = f"{kind}_" + hashlib.sha256(body.encode()).hexdigest()[:16]
        self.functions[name] = f"define internal {result} @{name}{body}"
        return name

    def call(self, b: llvm.Builder, name: str, arguments: Sequence[Value]) -> None:
        b.line(f"call void @{name}({', '.join(f'ptr {a.name}' for a in arguments)})")

    def call_checked(self, b: llvm.Builder, name: str, arguments: Sequence[Value]) -> None:
        """Calls a function that returns a status, and leaves with it unless it is 0."""
        status = b.define(
            "i32",
            1,
            f"call i32 @{name}({', '.join(f'ptr {a.name}' for a in arguments)})",
            (),
            pinned=True,
        )
        b.return_if(b.compare("ne", status, 0), status)

    def range_parameters(self, b: llvm.Builder) -> tuple[Value, Value, Value]:
        """Of a function that runs a part of a loop: a context, the first iteration, the end."""
        context, start, stop = "%context", "%start", "%stop"
        return (
            Value(b, context, "ptr", 1, 0),
            Value(b, start, "i64", 1, 0),
            Value(b, stop, "i64", 1, 0),
        )

    def run_shared(
        self, b: llvm.Builder, body: llvm.Builder, pointers: Sequence[Value], share: Shared
    ) -> None:
        """Enters a function of `range_parameters`, and has threads run it on a context."""
        self.threads = True
        self.declarations |= body.declarations
        self.declarations.add("declare void @threads_run(ptr, ptr, i64, i64)")
        text = f"(ptr %context, i64 %start, i64 %stop) #0 {{\nentry:\n{body.body()}\n  ret void\n}}"
        name = "range_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        self.functions[name] = f"define internal void @{name}{text}"
        context = Value(b, f"%context{self.contexts}", "ptr", 1, 0)
        self.contexts += 1
        b.line(f"{context.name} = alloca [{len(pointers)} x ptr], align 8", 0)
        for k, pointer in enumerate(pointers):
            b.store_pointer(pointer, b.pointer(context, "ptr", k))
        b.line(
            f"call void @threads_run(ptr @{name}, ptr {context.name}, "
            f"i64 {share.count}, i64 {share.grain})"
        )

    def copy(self, b: llvm.Builder, source: Value, target: Value, nbytes: int) -> None:
        if not nbytes or source.name == target.name:
            return
        self.declarations.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        b.line(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {target.name}, ptr {source.name}, "
            f"i64 {nbytes}, i1 false)"
        )

    def copy_unless_same(self, b: llvm.Builder, source: Value, target: Value, nbytes: int) -> None:
        with b.when(b.compare("ne", source, target)):
            self.copy(b, source, target, nbytes)

    # -- constants --

    def data(self, b: llvm.Builder, node: Node) -> Value:
        """The bytes of a constant that has no register form."""
        content = np.asarray(node.loop.value).tobytes()
        name = "@data_" + hashlib.sha256(content).hexdigest()[:16]
        items = ", ".join(f"i8 {byte}" for byte in content)
        self.globals[name] = f"{name} = private constant [{len(content)} x i8] [{items}], align 16"
        return Value(b, name, "ptr", 1, 0)

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

    # -- text --

    def finish(self, main: llvm.Builder, entry: str) -> Module:
        """The module whose function `entry` runs the body of `main` on a table of pointers."""
        self.declarations |= main.declarations
        body = f"(ptr %buffers0) {{\nentry:\n{main.body()}\n  ret i32 0\n}}\n"
        if self.routines or self.host_calls:
            whole = f"define internal i32 @whole{body}\n{self._around(entry)}"
        else:
            whole = f"define i32 @{entry}{body}"
        parts = [
            *(_meeting_names(self.meetings) if self.devices else ()),
            *sorted(self.globals.values()),
            *sorted(self.declarations),
            *self.functions.values(),
            whole,
        ]
        return Module(
            "\n".join(parts),
            tuple(sorted(self.routines)),
            tuple(sorted(self.products)),
            tuple(self.host_calls),
            tuple(self.progress),
            self.long_running,
            self.devices,
            self.threads,
        )

    def _around(self, entry: str) -> str:
        """The entry of a program that calls a library or the host.

        The library's own threads would spin against the caller's, so that products run in the
        caller's thread; the number of threads that SciPy's other users see is put back at the end.
        What a host call left in `host_error`, the type and value of an error, is raised in Python,
        whether the caller has the GIL or gave it away.
        """
        b = llvm.Builder()
        if self.routines:
            self.declarations |= {
                "declare i32 @blas_get_threads()",
                "declare void @blas_set_threads(i32)",
            }
            b.line("%threads = call i32 @blas_get_threads()")
            b.line("call void @blas_set_threads(i32 1)")
        b.line("%status = call i32 @whole(ptr %buffers0)")
        if self.routines:
            b.line("call void @blas_set_threads(i32 %threads)")
        if self.host_calls:
            self.globals["host_error"] = "@host_error = external global [2 x ptr]"
            self.declarations |= {
                "declare void @PyErr_SetObject(ptr, ptr)",
                "declare i32 @PyGILState_Ensure()",
                "declare void @PyGILState_Release(i32)",
            }
            failed = Value(b, "%status", "i32", 1, 0)
            with b.when(b.compare("eq", failed, -1)):
                b.line("%error_type = load ptr, ptr @host_error")
                b.line("%error_at = getelementptr ptr, ptr @host_error, i64 1")
                b.line("%error_value = load ptr, ptr %error_at")
                b.line("%gil = call i32 @PyGILState_Ensure()")
                b.line("call void @PyErr_SetObject(ptr %error_type, ptr %error_value)")
                b.line("call void @PyGILState_Release(i32 %gil)")
        return f"define i32 @{entry}(ptr %buffers0) {{\nentry:\n{b.body()}\n  ret i32 %status\n}}\n"


def _meeting_names(names: Sequence[str]) -> list[str]:
    """The globals with the names of collectives, for errors."""
    texts, pointers = [], []
    for k, name in enumerate(names):
        content = name.encode() + b"\0"
        items = ", ".join(f"i8 {byte}" for byte in content)
        texts.append(f"@meeting_{k} = private constant [{len(content)} x i8] [{items}]")
        pointers.append(f"ptr @meeting_{k}")
    pointers.append("ptr null")
    texts.append(f"@meetings = private constant [{len(pointers)} x ptr] [{', '.join(pointers)}]")
    return texts
