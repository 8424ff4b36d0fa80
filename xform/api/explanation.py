"""Why a jitted function was compiled again: `explain`, and the warning about many compilations."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from .. import errors, tree
from ..core import source
from ..core.avals import ShapedArray
from ..core.source import Source
from ..core.timing import Clock, origin_text, stages_text
from .flat import name_of

MANY = 16
"""Specializations in a row, each for another value of one kind, after which comes a warning."""

_KEPT = 256  # specializations that a function remembers
_COMPARED = 64  # earlier ones that a new one is compared with
_TEXT = 100  # characters of a static value
_SHOWN = 3  # values and names in a warning
_DIFFERENCES = 6  # of one specialization that are shown

_Statics = tuple[tuple[int | str, type, Any], ...]


class _Static(NamedTuple):
    """A static value as it is remembered: without the value, which may be large or need to go."""

    name: str
    kind: str
    text: str
    hashed: int
    by_identity: bool


@dataclass(frozen=True)
class Difference:
    """One reason why a program did not serve for a call.

    Args:
        kind: "shape", "dtype", "weak type", "static value", "structure", "configuration" or
            "named axes".
        name: the argument or option, such as "x" or "params['w']".
        before: what it was in the earlier specialization.
        now: what it is in this one.

    >>> print(Difference("shape", "x", "(3,)", "(4,)"))
    the shape of x was (3,), is (4,)
    """

    kind: str
    name: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"the {self.kind} of {self.name} was {self.before}, is {self.now}"


@dataclass(frozen=True)
class Specialization:
    """A program of a jitted function: what it is for, and why it was made.

    Args:
        number: from 1, in the order in which they were traced.
        arguments: the name and type of each array among the arguments.
        static: the name and value of each static argument.
        at: the user's line that called.
        nearest: the number of the earlier specialization that this one is most like; None for the
            first.
        differences: in what the two differ. There are none when the nearest is the same, but was
            not kept.
        stages: seconds by stage, of those of `xform.core.timing.STAGES` that took place.
        origin: where its code came from: "compiled", "disk", "memory" (that of an equal program);
            empty where it was traced as a part of other programs only.
    """

    number: int
    arguments: tuple[tuple[str, ShapedArray], ...]
    static: tuple[tuple[str, str], ...]
    at: Source
    nearest: int | None
    differences: tuple[Difference, ...]
    stages: tuple[tuple[str, float], ...]
    origin: str

    @property
    def seconds(self) -> float:
        """The time of all stages together."""
        return sum(seconds for _, seconds in self.stages)

    def __str__(self) -> str:
        arguments = [f"{name}: {aval}" for name, aval in self.arguments]
        arguments += [f"{name} = {text}" for name, text in self.static]
        lines = [f"{self.number}. {', '.join(arguments) or 'no arguments'}"]
        lines.append(f"   called at {self.at.text}")
        if self.differences:
            shown = [str(difference) for difference in self.differences[:_DIFFERENCES]]
            if len(self.differences) > _DIFFERENCES:
                shown.append(f"and {len(self.differences) - _DIFFERENCES} more")
            lines.append(f"   unlike {self.nearest}: " + ("\n" + " " * 6).join(shown))
        elif self.nearest is not None:
            lines.append(
                f"   the same as {self.nearest}, which was not kept: it was dropped for want of "
                "room, or uses values of a transformation that was running"
            )
        text = f"   {origin_text(self.origin)} in {1e3 * self.seconds:.1f} ms"
        lines.append(f"{text}: {stages_text(self.stages)}" if self.stages else text)
        return "\n".join(lines)


@dataclass(frozen=True)
class Explanation:
    """What `explain` found; printing it shows it.

    Args:
        name: of the function.
        defined: where it is defined, when that is known.
        specializations: its programs, the oldest first.
        forgotten: how many older ones are not listed.
    """

    name: str
    defined: str
    specializations: tuple[Specialization, ...]
    forgotten: int

    def __str__(self) -> str:
        count = len(self.specializations) + self.forgotten
        noun = "specialization" if count == 1 else "specializations"
        head = f"{self.name}{self.defined and f', defined at {self.defined}'}: {count} {noun}"
        if self.forgotten:
            head += f", of which the first {self.forgotten} are not listed"
        return "\n".join([head, *map(str, self.specializations)])

    __repr__ = __str__


@dataclass(frozen=True)
class _Record:
    """A specialization in progress: its clock may still run."""

    number: int
    names: tuple[str, ...]
    avals: tuple[ShapedArray, ...]
    in_tree: tree.TreeDef
    static: tuple[_Static, ...]
    options: tuple[tuple[str, object], ...]
    axes: tuple[Any, ...]
    at: Source
    nearest: int | None
    differences: tuple[Difference, ...]
    clock: Clock

    def public(self) -> Specialization:
        return Specialization(
            self.number,
            tuple(zip(self.names, self.avals, strict=True)),
            tuple((static.name, static.text) for static in self.static),
            self.at,
            self.nearest,
            self.differences,
            self.clock.stages(),
            self.clock.origin,
        )


class History:
    """The specializations of one jitted function, the newest 256 of them."""

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fun
        self.numbers = itertools.count(1)
        self.count = 0
        self.records: deque[_Record] = deque(maxlen=_KEPT)
        self.warned = False

    def clear(self) -> None:
        """Forget everything, as the function's programs are."""
        self.numbers = itertools.count(1)
        self.count = 0
        self.records.clear()

    def add(
        self,
        names: Sequence[str],
        avals: Sequence[ShapedArray],
        in_tree: tree.TreeDef,
        static: _Statics,
        options: Sequence[tuple[str, object]],
        axes: Sequence[Any],
        clock: Clock,
    ) -> None:
        """Remember a program that is traced now, and warn when it is one of many.

        Args:
            names: of the leaves among the arguments.
            avals: their types.
            in_tree: the structure of the arguments.
            static: position or name, type and value of each static argument.
            options: the options that change code, with their values.
            axes: the named axes in scope, with their sizes.
            clock: the clock of the program's stages.

        Warns:
            RecompilationWarning: the latest specializations differ in one thing only; once.
        """
        described = tuple(_described(self.fun, *each) for each in static)
        self.count = next(self.numbers)
        made = _Record(
            self.count,
            tuple(names),
            tuple(avals),
            in_tree,
            described,
            tuple(options),
            tuple(axes),
            source.current(),
            None,
            (),
            clock,
        )
        earlier = list(self.records)[-_COMPARED:]
        if earlier:
            found = [(tuple(_differences(old, made)), old.number) for old in earlier]
            differences, nearest = min(found, key=lambda each: (len(each[0]), -each[1]))
            made = replace(made, nearest=nearest, differences=differences)
        self.records.append(made)
        self.warn()

    def warn(self) -> None:
        """Warn once, when the latest specializations all differ in one thing of one kind."""
        if self.warned or len(self.records) <= MANY:
            return
        latest = list(self.records)[-MANY:]
        kinds = {d.kind for record in latest for d in record.differences}
        kind = next(iter(kinds), "")
        if len(kinds) != 1 or kind not in _CURES or not all(r.differences for r in latest):
            return
        self.warned = True
        last = latest[-1]
        names = list(dict.fromkeys(d.name for d in last.differences))[:_SHOWN]
        values = dict.fromkeys(_newest(record.differences[0]) for record in latest[-_SHOWN:])
        by_identity = any(s.by_identity for s in last.static if s.name in names)
        why, instead = _CURES["new object" if by_identity else kind]
        text = errors.XformError(
            f"{name_of(self.fun)} is compiled again and again, {last.number} times so far: calls "
            f"differ in the {kind} of {', '.join(names)}",
            f"{', '.join(values)}, lately",
            why=why,
            instead=f"{instead}; xform.explain({name_of(self.fun)}) lists all",
            where=last.at.text,
        )
        warnings.warn_explicit(str(text), errors.RecompilationWarning, last.at.file, last.at.line)

    def explanation(self) -> Explanation:
        """What is known, for the user."""
        code = getattr(inspect.unwrap(self.fun), "__code__", None)
        defined = "" if code is None else errors.place_of(code.co_filename, code.co_firstlineno)
        found = tuple(record.public() for record in self.records)
        return Explanation(name_of(self.fun), defined, found, self.count - len(found))


_CURES = {
    "shape": (
        "a program is for one shape",
        "xnp.pad the argument to one of a few sizes, such as powers of two, and mask the rest",
    ),
    "static value": (
        "a program is for one value of a static argument",
        "the argument as a dynamic one, if the function needs its number only",
    ),
    "new object": (
        "a static argument is found again by its hash and equality, which such objects have anew",
        "the object made once, outside of the loop, or a class with __eq__ and __hash__",
    ),
    "structure": (
        "a program is for one structure of its arguments",
        "an array with one more axis instead of a list that grows",
    ),
}


def _described(fun: Any, which: int | str, kind: type, value: Any) -> _Static:
    """A static value without the value."""
    name = which if isinstance(which, str) else _parameter(fun, which)
    try:
        text = repr(value)
    except Exception as error:  # Whatever a user's class does, the call goes on.
        text = f"a {kind.__qualname__} whose repr raises {type(error).__name__}"
    text = text if len(text) <= _TEXT else text[: _TEXT - 3] + "..."
    by_identity = kind.__eq__ is object.__eq__  # type: ignore[comparison-overlap]
    return _Static(name, kind.__qualname__, text, hash(value), by_identity)


def _parameter(fun: Any, position: int) -> str:
    """The name of a positional parameter."""
    try:
        names = list(inspect.signature(fun).parameters)
    except (TypeError, ValueError):
        names = []
    return names[position] if position < len(names) else f"args[{position}]"


def _differences(old: _Record, new: _Record) -> Iterator[Difference]:
    """In what two specializations differ."""
    before, now = (dict(zip(r.names, r.avals, strict=True)) for r in (old, new))
    for name in dict.fromkeys((*before, *now)):
        a, b = before.get(name), now.get(name)
        if a is None or b is None:
            texts = ["absent" if aval is None else str(aval) for aval in (a, b)]
            yield Difference("structure", name, *texts)
        elif a is not b:
            yield from _of_types(name, a, b)
    if old.in_tree != new.in_tree and before.keys() == now.keys():
        yield Difference("structure", "the arguments", _short(old.in_tree), _short(new.in_tree))
    values = {static.name: static for static in old.static}
    for static in new.static:
        known = values.get(static.name)
        if known is None:
            yield Difference("static value", static.name, "absent", static.text)
        elif known != static:
            alike = known.text == static.text
            text = f"another {static.kind} that looks alike" if alike else static.text
            yield Difference("static value", static.name, known.text, text)
    given = {static.name for static in new.static}
    for name in values.keys() - given:
        yield Difference("static value", name, values[name].text, "absent")
    for (name, was), (_, value) in zip(old.options, new.options, strict=True):
        if was != value:
            yield Difference("configuration", name, repr(was), repr(value))
    if old.axes != new.axes:
        yield Difference("named axes", "the surroundings", repr(old.axes), repr(new.axes))


def _of_types(name: str, a: ShapedArray, b: ShapedArray) -> Iterator[Difference]:
    if a.shape != b.shape:
        yield Difference("shape", name, str(a.shape), str(b.shape))
    if a.dtype != b.dtype:
        yield Difference("dtype", name, str(a.dtype), str(b.dtype))
    if a.weak_type != b.weak_type:
        yield Difference("weak type", name, str(a.weak_type), str(b.weak_type))


def _newest(difference: Difference) -> str:
    """What came, for a list of what came."""
    if difference.kind == "structure":
        return f"{difference.name}: {difference.now}"
    return difference.now


def _short(structure: tree.TreeDef) -> str:
    text = str(structure)
    return text if len(text) <= 2 * _TEXT else text[: 2 * _TEXT - 3] + "..."


def explain(fun: Callable[..., Any]) -> Explanation:
    """Why each program of a jitted function was made, and how long that took.

    Args:
        fun: a function that `jit` returned.

    Returns:
        an `Explanation`, which prints as a report: for each specialization the types it is for, the
        line that called, in what it differs from the earlier one that is most like it, the seconds
        of each stage, and whether its code was compiled or read from the disk.

    Errors:
        ArgumentError: `fun` is no jitted function.

    >>> import xform, xform.numpy as xnp
    >>> f = xform.jit(lambda x, n: x * n, static_argnums=1)
    >>> for argument in (xnp.ones(3), xnp.ones(4)):
    ...     _ = f(argument, 2), f(argument, 2)
    >>> _ = f(xnp.ones(4), 3)
    >>> xform.explain(f)
    <lambda>, defined at ...: 3 specializations
    1. x: f32[3], n = 2
       called at ...
       ... in ... ms: trace ..., simplify ...
    2. x: f32[4], n = 2
       called at ...
       unlike 1: the shape of x was (3,), is (4,)
       ... in ... ms: trace ..., simplify ...
    3. x: f32[4], n = 3
       called at ...
       unlike 2: the static value of n was 2, is 3
       ... in ... ms: trace ..., simplify ...
    """
    method = getattr(fun, "explanation", None)
    found = method() if callable(method) else None
    if not isinstance(found, Explanation):
        raise errors.ArgumentError(
            "expected a function that xform.jit returned",
            f"{type(fun).__name__}: {name_of(fun)}",
            why="only jitted functions are compiled, and compiled again",
            instead=f"f = xform.jit({name_of(fun)}); f(...); xform.explain(f)",
        )
    return found
