"""What compiled loops do besides computing: they look for signals, and say how far they are.

A loop asks the time every few microseconds of work. A few milliseconds after the last time, it
takes the GIL and lets Python handle signals, so that Ctrl-C ends the loop with KeyboardInterrupt.
`@poll` returns 0 if it is too soon to look, 1 if a signal handler raised, 2 if not.
"""

from __future__ import annotations

from .._kernels import builder as llvm
from ..core.loops import Contract, Loop, Map, Reduce, Update
from .costs import own_cost
from .loop_graph import Node
from .module import ModuleWriter
from .parts import Part

Value = llvm.Value

_UNKNOWN_TRIPS = 16
_OPERATIONS_PER_NS = 4
_STEP_NS = 5
_BETWEEN_POLLS_NS = 8_000
_LONG_NS = 50_000

_POLL = """define internal preserve_allcc i32 @poll() noinline cold{features} {{
entry:
  %now = call i64 @{clock}()
  %last = load i64, ptr @last_poll, align 8
  %passed = sub i64 %now, %last
  %soon = icmp ult i64 %passed, {ticks}
  br i1 %soon, label %no, label %yes
no:
  ret i32 0
yes:
  store i64 %now, ptr @last_poll, align 8
  %gil = call i32 @PyGILState_Ensure()
  %raised = call i32 @PyErr_CheckSignals()
  call void @PyGILState_Release(i32 %gil)
  %any = icmp ne i32 %raised, 0
  %status = select i1 %any, i32 1, i32 2
  ret i32 %status
}}"""


def operations(node: Node) -> float:
    """About how many scalar operations a node takes by itself."""
    loop = node.loop
    if isinstance(loop, Loop):
        p = node.params
        trips = p["length"] if loop.counted else _UNKNOWN_TRIPS
        inside = p["jaxpr"] if loop.counted else p["body_jaxpr"]
        return float(trips * max(1, sum(v.aval.size for e in inside.equations for v in e.outputs)))
    if isinstance(loop, Map):
        return float(own_cost(node) * node.aval.size)
    if isinstance(loop, Reduce):
        return float(node.inputs[0].aval.size)
    if isinstance(loop, Contract):
        x, y = node.inputs
        return float(x.aval.size * max(1, y.aval.size) ** 0.5)
    if isinstance(loop, Update):
        return float(node.inputs[loop.updates].aval.size)
    return float(node.aval.size) / 4


def nanoseconds(part: Part) -> float:
    """About how long one iteration of a loop in memory takes, to within a factor of some ten."""
    work = sum(operations(n) for b in part.blocks.values() for n in b.graph.nodes)
    return work / _OPERATIONS_PER_NS + _STEP_NS * sum(
        len(b.fused.steps) for b in part.blocks.values()
    )


class Meter:
    """The polls of one loop.

    `trips` is None where the number of iterations is not known; `ns` is about what one takes.
    """

    def __init__(self, module: ModuleWriter, node: Node, trips: int | None, ns: float) -> None:
        self.module = module
        label = node.params["progress"]
        self.progress: int | None = None
        if label is not None:
            self.progress = len(module.progress)
            module.progress.append((str(label), -1 if trips is None else trips))
        self.trips = trips
        ns += 1.0
        self.every = 1 << max(0, int(_BETWEEN_POLLS_NS / ns).bit_length() - 1)
        self.needed = trips is None or trips * ns > _LONG_NS or self.progress is not None
        if self.needed:
            module.long_running = True

    def begin(self, b: llvm.Builder) -> None:
        self.report(b, 0, b.constant("i64", 0))

    def end(self, b: llvm.Builder, count: Value) -> None:
        self.report(b, 2, count)

    def report(self, b: llvm.Builder, state: int, count: Value) -> None:
        """Tells the host that the loop begins (0), goes on (1) or ends (2)."""
        if self.progress is not None:
            self.module.declarations.add("declare void @report_progress(i32, i32, i64)")
            arguments = f"i32 {self.progress}, i32 {state}, i64 {count.name}"
            b.line(f"call void @report_progress({arguments})")

    def poll(self, b: llvm.Builder, index: Value) -> None:
        """Every so many iterations: leaves the function where a signal handler raised."""
        if not self.needed:
            return
        _enter_poll(self.module)
        due = b.compare("eq", index & (self.every - 1), self.every - 1)
        with b.when(due):
            status = b.define("i32", 1, "call preserve_allcc i32 @poll()", (), pinned=True)
            b.return_if(b.compare("eq", status, 1), status)
            if self.progress is not None:
                with b.when(b.compare("eq", status, 2)):
                    self.report(b, 1, index)


def _enter_poll(module: ModuleWriter) -> None:
    if "poll" in module.functions:
        return
    x86 = module.target.triple.startswith(("x86_64", "i686"))
    clock = "llvm.readcyclecounter" if x86 else "llvm.readsteadycounter"
    # LLVM ends functions with `vzeroupper` even if they promise to preserve those halves.
    features = ",".join(filter(None, (module.target.features, "-vzeroupper")))
    module.functions["poll"] = _POLL.format(
        clock=clock,
        ticks=8_000_000 if x86 else 80_000,
        features=f' "target-features"="{features}"' if x86 else "",
    )
    module.globals["last_poll"] = "@last_poll = internal global i64 0, align 8"
    module.declarations |= {
        f"declare i64 @{clock}()",
        "declare i32 @PyGILState_Ensure()",
        "declare void @PyGILState_Release(i32)",
        "declare i32 @PyErr_CheckSignals()",
    }
