"""jit: tracing once per signature, then native calls."""

from __future__ import annotations

import contextlib
import functools
import inspect
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import compiler, errors, runtime, tree
from ..config import config
from ..core import source
from ..core.avals import ShapedArray
from ..core.axes import axis_environment
from ..core.jaxpr import ClosedJaxpr, Jaxpr, hoist_constants
from ..core.timing import Clock, log, measured, recording
from ..core.trace import BASE, Tracer, aval_of, current_trace
from ..higher_order.call import call
from ..interpreters.evaluate import evaluate_program
from ..interpreters.staging import stage
from ..runtime.dispatch import clear_plans, plan_count
from ..runtime.guarding import Moment, guarded_function, moment, teach
from .explanation import History
from .flat import FlatFunction, argument_names, as_arrays, canonical, name_of
from .inspection import describe
from .retention import retention
from .signatures import argument_specs, result_spec


class Traced:
    """A jitted function traced for one signature."""

    __slots__ = (
        "__weakref__",
        "at",
        "clock",
        "consts",
        "donated",
        "executable",
        "flat",
        "program",
        "signature",
    )

    def __init__(
        self, closed: ClosedJaxpr, flat: FlatFunction, donated: tuple[bool, ...], clock: Clock
    ) -> None:
        self.program: Jaxpr = hoist_constants(closed.jaxpr)
        self.consts = closed.consts
        self.flat = flat
        self.donated = (*(False for _ in closed.consts), *donated)
        self.clock = clock
        self.at = source.current()
        self.signature: Any = None  # by which its function finds it, if it does
        self.executable: Any = None

    def compiled(self) -> Any:
        if self.executable is None:
            # Threads that call for the first time at once share what one of them compiles.
            with runtime.executable.building:
                if self.executable is None:
                    self.compile()
        return self.executable

    def compile(self) -> None:
        with recording(self.clock):
            self.executable = runtime.executable.Executable(self.program, self.donated)
        types = ", ".join(map(str, self.program.in_avals[len(self.consts) :]))
        log(self.program.name, types, self.at, self.clock)


class Jitted:
    """What a jitted function knows: how to split its arguments, and a program per signature."""

    def __init__(
        self,
        fun: Callable[..., Any],
        static_argnums: tuple[int, ...],
        static_argnames: tuple[str, ...],
        donate_argnums: tuple[int, ...],
        donate_argnames: tuple[str, ...],
        inline: bool,
        keep_unused: bool,
    ) -> None:
        self.fun = fun
        self.static_argnums = static_argnums
        self.static_argnames = static_argnames
        self.donate_argnums = donate_argnums
        self.donate_argnames = donate_argnames
        self.inline = inline
        self.keep_unused = keep_unused
        self.traced: dict[Any, Traced] = {}
        # What users hold, which holds this: the two are freed without the collector of cycles.
        self.function: Callable[[], Any] = lambda: None
        self.history = History(fun)

    # -- arguments --

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
        """(dynamic args, dynamic kwargs, static key). Static values must be hashable."""
        nums = {n % len(args) for n in self.static_argnums if -len(args) <= n < len(args)}
        static = [(n, args[n]) for n in sorted(nums)]
        named = [(k, kwargs[k]) for k in sorted(kwargs) if k in self.static_argnames]
        for which, value in (*static, *named):
            _check_static(self.fun, which, value)
        dynamic = tuple(x for n, x in enumerate(args) if n not in nums)
        rest = {k: v for k, v in kwargs.items() if k not in self.static_argnames}
        key = tuple((w, type(v), v) for w, v in (*static, *named))
        return dynamic, rest, key

    def rebuild(self, key: Any) -> Callable[..., Any]:
        """The function of the dynamic arguments only."""
        fixed = {w: v for w, _, v in key if isinstance(w, int)}
        named = {w: v for w, _, v in key if isinstance(w, str)}
        if not fixed and not named:
            return self.fun

        def dynamic(*args: Any, **kwargs: Any) -> Any:
            rest = iter(args)
            full = [fixed[n] if n in fixed else next(rest) for n in range(len(args) + len(fixed))]
            return self.fun(*full, **kwargs, **named)

        dynamic.__name__ = name_of(self.fun)
        with contextlib.suppress(TypeError, ValueError):  # Not every callable has a signature.
            signature = inspect.signature(self.fun)
            rest = [p for n, p in enumerate(signature.parameters.values()) if n not in fixed]
            vars(dynamic)["__signature__"] = signature.replace(
                parameters=[p.replace(default=p.empty) for p in rest if p.name not in named]
            )
        return dynamic

    def donated(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, ...]:
        """For each leaf of the dynamic arguments, whether its argument is donated."""
        if not self.donate_argnums and not self.donate_argnames:
            return (False,) * len(tree.leaves((args, kwargs)))
        nums = {n % max(1, len(args)) for n in self.donate_argnums}
        flags: list[bool] = []
        for n, x in enumerate(args):
            flags.extend([n in nums] * len(tree.leaves(x)))
        for k in sorted(kwargs):
            flags.extend([k in self.donate_argnames] * len(tree.leaves(kwargs[k])))
        return tuple(flags)

    # -- tracing --

    def trace(
        self, args: Any, kwargs: Any, key: Any, leaves: Sequence[Any], in_tree: Any
    ) -> Traced:
        avals = tuple(aval_of(x) for x in leaves)
        return self.trace_avals(args, kwargs, key, avals, in_tree)

    def trace_avals(
        self, args: Any, kwargs: Any, key: Any, avals: tuple[ShapedArray, ...], in_tree: Any
    ) -> Traced:
        options, axes = config.code_key(), tuple(axis_environment().items())
        signature = (in_tree, avals, key, options, axes)
        found = self.traced.get(signature)
        if found is not None:
            retention.used(found)
            return found
        flat = FlatFunction(self.rebuild(key), in_tree, takes_kwargs=True)
        names = argument_names(flat.fun, args, kwargs)
        clock = Clock()
        with recording(clock), measured("trace"):
            program = stage(flat, avals, name_of(self.fun), names)
        made = Traced(program, flat, self.donated(args, kwargs), clock)
        if not any(isinstance(c, Tracer) for c in program.consts):
            found = self.traced.setdefault(signature, made)
            if found is not made:  # Another thread was faster.
                return found
            made.signature = signature
        named = tuple(zip(config.code_options, options, strict=True))
        self.history.add(names, avals, in_tree, key, named, axes, clock)
        return made

    # -- calling --

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The slow path: everything the native dispatcher did not know how to do."""
        made = moment()
        if config.disable_jit:
            return self.fun(*args, **kwargs)
        args, kwargs = self.normalize(args, kwargs)
        dynamic, rest, key = self.split(args, kwargs)
        leaves, in_tree = tree.flatten((dynamic, rest))
        leaves = [canonical(x) for x in leaves]
        traced = self.trace(dynamic, rest, key, leaves, in_tree)
        tracers = any(isinstance(x, Tracer) for x in (*leaves, *traced.consts))
        if current_trace() is BASE and not tracers:
            outs = self.run(traced, leaves)
            if not config.debug_nans:
                self.add_plan(traced, args, kwargs, made)
            return traced.flat.value(outs)
        if self.inline:
            outs = evaluate_program(traced.program, (), [*traced.consts, *leaves])
        else:
            outs = call(*traced.consts, *leaves, jaxpr=traced.program, name=traced.program.name)
        return traced.flat.value(outs)

    def run(self, traced: Traced, leaves: Sequence[Any]) -> Any:
        """The outputs of a program; while NaNs are looked for, those of its operators."""
        if config.debug_nans:
            return call(*traced.consts, *leaves, jaxpr=traced.program, name=traced.program.name)
        return self.compiled(traced).run(as_arrays(traced.consts), leaves)

    def compiled(self, traced: Traced) -> Any:
        """The executable of a program, which counts among those that are kept."""
        new = traced.executable is None
        executable = traced.compiled()
        if new and traced.signature is not None:
            retention.keep(self, traced.signature, traced)
        return executable

    def normalize(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Static arguments given by the other way (position or keyword) than they were named."""
        if not (self.static_argnames and args) and not (self.static_argnums and kwargs):
            return args, kwargs
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except (TypeError, ValueError):
            return args, kwargs
        return bound.args, bound.kwargs

    def add_plan(self, traced: Traced, args: Any, kwargs: Any, made: Moment) -> None:
        """Teaches the native dispatcher this call, where all its parts are of kinds it knows."""
        executable = self.compiled(traced)
        specs = argument_specs(self, args, kwargs)
        result = result_spec(traced.flat, executable.out_avals)
        if specs is not None and result is not None and executable.plannable:
            hidden = tuple(as_arrays(traced.consts))
            plan = executable.plan(specs, tuple(kwargs), result, hidden, made.settings)
            function = self.function()
            if function is not None:
                teach(function, plan, made)

    # -- stages --

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        args, kwargs = self.normalize(args, kwargs)
        dynamic, rest, key = self.split(args, kwargs)
        leaves, in_tree = tree.flatten((dynamic, rest))
        avals = tuple(describe(x) for x in leaves)
        return Lowered(self, self.trace_avals(dynamic, rest, key, avals, in_tree))

    def clear(self) -> None:
        self.traced.clear()
        self.history.clear()
        self.clear_plans()

    def drop(self, signature: Any) -> None:
        """Lets a program go, which is traced and compiled again when it is needed."""
        self.traced.pop(signature, None)
        self.clear_plans()

    def clear_plans(self) -> None:
        function = self.function()
        if function is not None:
            clear_plans(function)

    def trace_count(self) -> int:
        return len(self.traced)

    def plan_count(self) -> int:
        function = self.function()
        return 0 if function is None else plan_count(function)


def _check_static(fun: Any, which: Any, value: Any) -> None:
    if isinstance(value, Tracer):
        raise errors.StaticArgumentError(
            f"expected a Python value for the static argument {which!r} of {name_of(fun)}",
            value.origin(),
            instead="a value known while tracing, or make the argument dynamic",
        )
    try:
        hash(value)
    except TypeError as fault:
        raise errors.StaticArgumentError(
            f"expected a hashable value for the static argument {which!r} of {name_of(fun)}",
            f"{type(value).__name__}: {value!r}",
            why="a program is compiled for each static value, found again by its hash and equality",
            instead="a tuple instead of a list, or make the argument dynamic",
        ) from fault


class Lowered:
    """A jitted function traced for some arguments, before compilation."""

    def __init__(self, jitted: Jitted, traced: Traced) -> None:
        self._jitted = jitted
        self._traced = traced

    @property
    def out_info(self) -> Any:
        return self._traced.flat.value(list(self._traced.program.out_avals))

    @property
    def jaxpr(self) -> Jaxpr:
        return self._traced.program

    def as_text(self, stage: str = "jaxpr") -> str:
        """The program at a stage: `jaxpr`, `simplified`, `loops`, `nests`, `llvm` or `asm`."""
        return str(compiler.pipeline.stages(self._traced.program, self._traced.donated, stage))

    def compile(self) -> Compiled:
        self._jitted.compiled(self._traced)
        return Compiled(self._jitted, self._traced)


class Compiled:
    """A compiled program for arguments of one signature; calling it never compiles again."""

    def __init__(self, jitted: Jitted, traced: Traced) -> None:
        self._jitted = jitted
        self._traced = traced

    def as_text(self, stage: str = "llvm") -> str:
        """The program at a stage, as for `Lowered.as_text`."""
        return str(compiler.pipeline.stages(self._traced.program, self._traced.donated, stage))

    def memory_analysis(self) -> dict[str, int]:
        """Bytes of the inputs, the outputs and the scratch memory."""
        program = self._traced.program
        return {
            "inputs": sum(a.nbytes for a in program.in_avals),
            "outputs": sum(a.nbytes for a in program.out_avals),
            "workspace": self._traced.compiled().workspace_bytes,
        }

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self._jitted.normalize(args, kwargs)
        dynamic, rest, _ = self._jitted.split(args, kwargs)
        leaves, in_tree = tree.flatten((dynamic, rest))
        leaves = [canonical(x) for x in leaves]
        traced = self._traced
        wanted = traced.program.in_avals[len(traced.consts) :]
        found = tuple(aval_of(x) for x in leaves)
        if in_tree != traced.flat.in_tree:
            raise errors.TreeError(
                "expected arguments of the structure the function was compiled for",
                f"{in_tree} for {traced.flat.in_tree}",
            )
        for have, want in zip(found, wanted, strict=True):
            if have.strong() is not want.strong():
                raise errors.ShapeError(
                    "expected arguments of the types the function was compiled for",
                    f"{have} for {want}",
                    instead="call the jitted function, which compiles for new types",
                )
        if any(isinstance(x, Tracer) for x in leaves):
            raise errors.ArgumentError(
                "expected arrays with numbers for a compiled program",
                "a traced value",
                instead="call the jitted function inside transformations",
            )
        return traced.flat.value(self._jitted.run(traced, leaves))


def _numbers(value: int | Iterable[int] | None) -> tuple[int, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else tuple(value)


def _names(value: str | Iterable[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _both_ways(fun: Any, nums: tuple[int, ...], names: tuple[str, ...]) -> tuple[Any, Any]:
    """Completes positions from names and names from positions, where the signature is known."""
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):
        return nums, names
    by_position = [
        p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    known = {p.name for p in parameters}
    unknown = [n for n in names if n not in known]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters):
        raise errors.ArgumentError(
            f"expected names of parameters of {name_of(fun)}: {sorted(known)}", f"{unknown}"
        )
    all_nums = {*nums, *(by_position.index(n) for n in names if n in by_position)}
    all_names = {
        *names,
        *(by_position[n] for n in nums if -len(by_position) <= n < len(by_position)),
    }
    return tuple(sorted(all_nums)), tuple(sorted(all_names))


def jit(
    fun: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Iterable[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Iterable[str] | None = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: str | None = None,
    inline: bool = False,
) -> Any:
    """Compiles `fun` into one native function per signature of its arguments.

    Args:
        fun: a pure function of pytrees of arrays. Side effects happen once, while tracing.
        static_argnums, static_argnames: arguments that are hashable Python values; each value
            compiles anew.
        donate_argnums, donate_argnames: arguments whose memory the outputs may take over; they
            cannot be used afterwards.
        keep_unused: accepted for JAX's signature: unused arguments cost nothing either way.
        device, backend: accepted for JAX's signature.
        inline: within another transformation, writes the equations of `fun` instead of one call.

    Returns:
        a function with the same signature, and with `lower(*args)`, `clear_cache()`, `__wrapped__`.

    Errors:
        StaticArgumentError: an unhashable static argument. ArgumentError: an argument that is no
            array.

    >>> import xform, xform.numpy as xnp
    >>> @xform.jit
    ... def selu(x, alpha=1.67, scale=1.05):
    ...     return scale * xnp.where(x > 0, x, alpha * xnp.exp(x) - alpha)
    >>> selu(xnp.array([1.0, 2.0]))
    Array([1.05, 2.1 ], dtype=float32)
    """
    if fun is None:
        return functools.partial(
            jit,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            donate_argnums=donate_argnums,
            donate_argnames=donate_argnames,
            keep_unused=keep_unused,
            inline=inline,
        )
    if not callable(fun):
        raise errors.ArgumentError("expected a function to jit", f"{type(fun).__name__}: {fun!r}")
    nums, names = _both_ways(fun, _numbers(static_argnums), _names(static_argnames))
    donated, donated_names = _both_ways(fun, _numbers(donate_argnums), _names(donate_argnames))
    jitted = Jitted(fun, nums, names, donated, donated_names, inline, keep_unused)
    function = guarded_function(jitted)
    functools.update_wrapper(function, fun)
    jitted.function = weakref.ref(function)
    function.lower = jitted.lower
    function.clear_cache = jitted.clear
    function.explanation = jitted.history.explanation
    function.trace_count = jitted.trace_count
    function.plan_count = jitted.plan_count
    return function
