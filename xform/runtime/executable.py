"""Compiled programs, ready to run on arrays."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..compiler.request import ENTRY, Request, opened
from ..core import source
from ..core.avals import ShapedArray
from ..core.jaxpr import Equation, Jaxpr, Var, make
from ..core.primitive import Primitive, effects_of, infer
from ..core.trace import BASE, aval_of
from ..core.values import to_numpy
from . import blas, device_threads, products, thread_pool
from .cache import cache_key, get_or_build
from .dispatch import JitFunction, add_plan
from .engine import Library, link
from .host_calls import HostCalls
from .plan import ArrayLeaf, ListSpec, Plan, Spec
from .progress import Progress

_GIL_BYTES = 1 << 20  # above this much memory gone through, other Python threads may run meanwhile


class Executable:
    """A program compiled and linked for the host. It does not hold the program, which may be what
    finds it.

    `used` says which inputs it reads; `workspace_bytes` is the scratch memory a call takes from the
    pool.
    """

    def __init__(self, program: Jaxpr, donated: Sequence[bool] = ()) -> None:
        code = _code_of(Request(program, donated))
        facts = code.facts
        self.in_avals = program.in_avals
        self.out_avals = program.out_avals
        self.donated = tuple(donated) or (False,) * len(program.invars)
        self.used = facts.used
        self.workspace_bytes = facts.workspace_bytes
        self.aliases = facts.aliases
        self.host_calls = code.host_calls
        self.code = code
        self.kernel = code.library[ENTRY]
        touched = sum(a.nbytes for a in (*program.in_avals, *program.out_avals))
        self.release_gil = facts.long_running or (
            not self.host_calls.count and touched > _GIL_BYTES
        )
        self.plannable = all(a.dtype.names is None for a in program.out_avals)
        self.runner: Any = None

    def plan(
        self,
        arguments: tuple[Spec, ...],
        kwnames: tuple[str, ...],
        result: Spec,
        hidden: tuple[Any, ...] = (),
    ) -> Plan:
        """How the native dispatcher calls the program; `hidden` are closed-over arrays."""
        count = len(hidden)
        return Plan(
            arguments,
            kwnames,
            result,
            self.out_avals,
            self.kernel,
            hidden=hidden,
            workspace_bytes=self.workspace_bytes,
            release_gil=self.release_gil,
            donated=tuple(k - count for k, d in enumerate(self.donated) if d and k >= count),
            aliases=tuple((i - count, o) for i, o in self.aliases if i >= count),
            keepalive=self,
        )

    def run(self, consts: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """Outputs, as arrays, for values that are arrays, NumPy arrays or numbers."""
        arrays = [_as_array(x, a) for x, a in zip((*consts, *values), self.in_avals, strict=True)]
        if self.runner is None:
            self.runner = self._make_runner()
        result: list[Any] = self.runner(*arrays)
        return result

    def _make_runner(self) -> Any:
        """A function of all inputs, as arrays, that returns the list of outputs."""
        avals = self.in_avals
        arguments = tuple(ArrayLeaf(a, k) for k, a in enumerate(avals))
        outputs = self.out_avals
        result = ListSpec(tuple(ArrayLeaf(a, k) for k, a in enumerate(outputs)))
        plan = self.plan(arguments, (), result)
        runner = JitFunction(_missed)
        add_plan(runner, plan)
        return runner


def _missed(*arrays: Any) -> Any:
    """The dispatcher did not take the only plan: an array was donated before."""
    for x in arrays:
        BASE.view(x)
    raise AssertionError(f"no plan for {[x.aval for x in arrays]}")


def _as_array(x: Any, aval: Any) -> Any:
    if type(x) is BASE.array_type:
        if x.aval is aval:
            return x
        return BASE.wrap(BASE.view(x), aval)
    array = np.ascontiguousarray(to_numpy(x, aval)).reshape(aval.shape)
    if not array.flags.aligned:
        array = array.copy()
    return BASE.wrap(array, aval)


class Code:
    """Compiled code in this process, with what it calls; programs that are equal share it."""

    def __init__(self, request: Request) -> None:
        self.facts, text = opened(_built(request))
        facts = self.facts
        self.host_calls = HostCalls([request.equation(k) for k in facts.host_calls])
        self.progress = Progress(facts.progress)
        symbols = blas.symbols(*facts.routines)
        symbols |= {**self.host_calls.symbols(), **self.progress.symbols()}
        if facts.routines:
            symbols |= blas.thread_controls()
        symbols |= products.symbols(*facts.products)
        if facts.devices:
            symbols |= device_threads.symbols()
        if facts.threads:
            symbols |= thread_pool.symbols()
        self.library: Library = link(text, [ENTRY], symbols)


_MOST_CODES = 128
_recent: OrderedDict[str, Code] = OrderedDict()
_recent_lock = threading.Lock()


def _code_of(request: Request) -> Code:
    """Code for a program: that of an equal one, where it was used lately, else made or read."""
    if request.key is None:
        return Code(request)
    with _recent_lock:
        found = _recent.get(request.key)
        if found is not None:
            _recent.move_to_end(request.key)
            return found
    made = Code(request)
    with _recent_lock:
        _recent[request.key] = made
        while len(_recent) > _MOST_CODES:
            _recent.popitem(last=False)
    return made


def _built(request: Request) -> bytes:
    """The compiled program, from the disk cache where it has a lasting name."""
    if request.key is None:
        return request.build()
    return get_or_build(cache_key(request.key, request.target), request.build)


_of_program: WeakKeyDictionary[Jaxpr, Executable] = WeakKeyDictionary()


def run_program(program: Jaxpr, values: Sequence[Any]) -> list[Any]:
    """Outputs of a program without constants, compiled at its first run."""
    found = _of_program.get(program)
    if found is None:
        found = _of_program[program] = Executable(program)
    return found.run((), values)


def run_equation(primitive: Primitive, values: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """Outputs of one operator that holds programs, compiled at its first run."""
    avals = tuple(map(aval_of, values))
    return run_program(_program_of(primitive, avals, tuple(params.items())), values)


@functools.lru_cache(maxsize=256)
def _program_of(
    primitive: Primitive, avals: tuple[ShapedArray, ...], params: tuple[tuple[str, Any], ...]
) -> Jaxpr:
    named = dict(params)
    inputs = tuple(map(Var, avals))
    outputs = tuple(map(Var, infer(primitive, avals, named)))
    effects = effects_of(primitive, named)
    equation = Equation(primitive, inputs, outputs, named, effects, source.current())
    return make((), inputs, (equation,), outputs, primitive.name)
