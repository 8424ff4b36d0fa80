"""Loops and branches of the builder: the scopes that instructions are written into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from .values import Operand, Value


@dataclass(slots=True)
class Scope:
    """The open block of one loop level. `barrier` keeps memory reads from being moved above it."""

    lines: list[str] = field(default_factory=list)
    memo: dict[tuple[object, ...], Value] = field(default_factory=dict)
    barrier: bool = False
    label: str = ""


@dataclass(slots=True)
class Loop:
    """What a `with builder.loop(...)` block sees. `carry` sets the values of the next iteration."""

    index: Value
    carried: tuple[Value, ...]
    following: tuple[Value, ...] = ()
    results: tuple[Value, ...] = ()

    def carry(self, *values: Value) -> None:
        self.following = values


@dataclass(slots=True)
class Branch:
    """What a `with builder.when(condition)` block sees; `give` sets the results after the block."""

    given: tuple[Value, ...] = ()
    results: tuple[Value, ...] = ()

    def give(self, *values: Value) -> None:
        self.given = values


@dataclass(slots=True)
class While:
    """What a `with builder.repeat(...)` block sees.

    The block calls `leave_unless` once, after what decides whether to go on, and `carry` with the
    values of the next iteration; `results` are those that the condition last saw.
    """

    builder: Control
    label: str
    index: Value
    carried: tuple[Value, ...]
    following: tuple[Value, ...] = ()
    results: tuple[Value, ...] = ()

    def leave_unless(self, condition: Value) -> None:
        scope = self.builder.scopes[-1]
        body = f"{self.label}.body"
        scope.lines.append(
            f"  br i1 {condition.name}, label %{body}, label %{self.label}.done\n{body}:"
        )
        scope.label = body

    def carry(self, *values: Value) -> None:
        self.following = values


class Control:
    """The part of `Builder` that opens and closes blocks."""

    scopes: list[Scope]
    counter: int

    @contextmanager
    def loop(
        self, stop: Operand, *, start: Operand = 0, step: int = 1, carried: Sequence[Value] = ()
    ) -> Iterator[Loop]:
        """`for index in range(start, stop, step)`, tested at the bottom: it must run at least once.

        The body must call `loop.carry` with one value per carried value; afterwards `loop.results`
        holds the last.
        """
        number = self.counter = self.counter + 1
        label = f"loop{number}"
        last = stop if isinstance(stop, Value) else self.constant("i64", stop)
        first = start if isinstance(start, Value) else self.constant("i64", start)
        entered_from = self.scopes[-1].label
        self.scopes.append(Scope(label=label))
        depth = self.depth
        index = Value(self, f"%i{number}", "i64", 1, depth)
        phis = tuple(
            Value(self, f"%c{number}_{k}", v.element, v.lanes, depth) for k, v in enumerate(carried)
        )
        loop = Loop(index, phis)
        yield loop
        if len(loop.following) != len(phis):
            raise ValueError(f"loop carries {len(phis)} values, got {len(loop.following)}")
        following = [self.splat(v, p.lanes) for v, p in zip(loop.following, phis, strict=True)]
        body = self.scopes.pop()
        outer = self.scopes[-1].lines
        outer.append(f"  br label %{label}")
        outer.append(f"{label}:")
        outer.append(
            f"  {index.name} = phi i64 "
            f"[ {first.name}, %{entered_from} ], [ %n{number}, %{body.label} ]"
        )
        for phi, before, after in zip(phis, carried, following, strict=True):
            outer.append(
                f"  {phi.name} = phi {phi.type} "
                f"[ {before.name}, %{entered_from} ], [ {after.name}, %{body.label} ]"
            )
        outer.extend(body.lines)
        outer.append(f"  %n{number} = add nuw nsw i64 {index.name}, {step}")
        outer.append(f"  %t{number} = icmp ult i64 %n{number}, {last.name}")
        outer.append(f"  br i1 %t{number}, label %{label}, label %done{number}")
        outer.append(f"done{number}:")
        self.scopes[-1].label = f"done{number}"
        loop.results = tuple(Value(self, v.name, v.element, v.lanes, self.depth) for v in following)

    @contextmanager
    def when(self, condition: Value, otherwise: Sequence[Value] = ()) -> Iterator[Branch]:
        """A block run only where the scalar condition holds; its values are not known outside.

        Where the block calls `branch.give` with one value per value of `otherwise`,
        `branch.results` holds afterwards what was given, or `otherwise` where the block did not
        run. Instructions whose operands are known outside are written outside; `hold` keeps what
        is worked out from a value inside.
        """
        number = self.counter = self.counter + 1
        entered_from = self.scopes[-1].label
        self.scopes.append(Scope(barrier=True, label=f"then{number}"))
        branch = Branch()
        yield branch
        if len(branch.given) != len(otherwise):
            raise ValueError(f"block gives {len(branch.given)} values, expected {len(otherwise)}")
        given = [self.splat(v, o.lanes) for v, o in zip(branch.given, otherwise, strict=True)]
        body = self.scopes.pop()
        outer = self.scopes[-1].lines
        outer.append(f"  br i1 {condition.name}, label %then{number}, label %end{number}")
        outer.append(f"then{number}:")
        outer.extend(body.lines)
        outer.append(f"  br label %end{number}")
        outer.append(f"end{number}:")
        self.scopes[-1].label = f"end{number}"
        results = []
        for k, (new, old) in enumerate(zip(given, otherwise, strict=True)):
            result = Value(self, f"%b{number}_{k}", old.element, old.lanes, self.depth)
            sources = f"[ {new.name}, %{body.label} ], [ {old.name}, %{entered_from} ]"
            outer.append(f"  {result.name} = phi {old.type} {sources}")
            results.append(result)
        branch.results = tuple(results)

    def hold(self, value: Value) -> Value:
        """The same value, known in the current block only: work on it stays in the block."""
        text = f"freeze {value.type} {value.name}"
        return self.define(value.element, value.lanes, text, (value,), pinned=True)

    @contextmanager
    def repeat(self, carried: Sequence[Value]) -> Iterator[While]:
        """`while condition: body`, with the condition at the top; `loop.index` counts from 0."""
        number = self.counter = self.counter + 1
        label = f"while{number}"
        entered_from = self.scopes[-1].label
        self.scopes.append(Scope(label=label))
        depth = self.depth
        index = Value(self, f"%i{number}", "i64", 1, depth)
        phis = tuple(
            Value(self, f"%c{number}_{k}", v.element, v.lanes, depth) for k, v in enumerate(carried)
        )
        loop = While(self, label, index, phis)
        yield loop
        if len(loop.following) != len(phis):
            raise ValueError(f"loop carries {len(phis)} values, got {len(loop.following)}")
        following = [self.splat(v, p.lanes) for v, p in zip(loop.following, phis, strict=True)]
        body = self.scopes.pop()
        outer = self.scopes[-1].lines
        outer.append(f"  br label %{label}")
        outer.append(f"{label}:")
        arrivals = zip((index, *phis), ("0", *(v.name for v in carried)), strict=True)
        after = (f"%n{number}", *(v.name for v in following))
        for (phi, before), name in zip(arrivals, after, strict=True):
            sources = f"[ {before}, %{entered_from} ], [ {name}, %{body.label} ]"
            outer.append(f"  {phi.name} = phi {phi.type} {sources}")
        outer.extend(body.lines)
        outer.append(f"  %n{number} = add nuw nsw i64 {index.name}, 1")
        outer.append(f"  br label %{label}")
        outer.append(f"{label}.done:")
        self.scopes[-1].label = f"{label}.done"
        loop.index = Value(self, index.name, "i64", 1, self.depth)
        loop.results = tuple(Value(self, v.name, v.element, v.lanes, self.depth) for v in phis)

    def choose(
        self, index: Value, bodies: Sequence[Callable[[], Sequence[Value]]]
    ) -> tuple[Value, ...]:
        """Runs the body at `index` (an i32 from 0 on), and gives the values that it returns.

        All bodies return values of the same types. As in `when`, what is worked out from values
        that are known outside is written outside, unless the body holds them.
        """
        number = self.counter = self.counter + 1
        blocks: list[tuple[Scope, Sequence[Value]]] = []
        for k, body in enumerate(bodies):
            self.scopes.append(Scope(barrier=True, label=f"case{number}.{k}"))
            given = body()
            blocks.append((self.scopes.pop(), given))
        lanes = [max(v.lanes for v in vs) for vs in zip(*(g for _, g in blocks), strict=True)]
        widened: list[list[Value]] = []
        for block, given in blocks:
            self.scopes.append(block)
            widened.append([self.splat(v, n) for v, n in zip(given, lanes, strict=True)])
            self.scopes.pop()
        outer = self.scopes[-1].lines
        last = len(blocks) - 1
        cases = " ".join(f"i32 {k}, label %case{number}.{k}" for k in range(last))
        outer.append(f"  switch i32 {index.name}, label %case{number}.{last} [ {cases} ]")
        sources: list[list[str]] = [[] for _ in lanes]
        for k, ((block, _), wide) in enumerate(zip(blocks, widened, strict=True)):
            outer.append(f"case{number}.{k}:")
            outer.extend(block.lines)
            outer.append(f"  br label %chosen{number}")
            for found, v in zip(sources, wide, strict=True):
                found.append(f"[ {v.name}, %{block.label} ]")
        outer.append(f"chosen{number}:")
        self.scopes[-1].label = f"chosen{number}"
        results = []
        for k, (found, v, n) in enumerate(zip(sources, blocks[0][1], lanes, strict=True)):
            result = Value(self, f"%b{number}_{k}", v.element, n, self.depth)
            outer.append(f"  {result.name} = phi {result.type} {', '.join(found)}")
            results.append(result)
        return tuple(results)

    def return_if(self, condition: Value, status: Value) -> None:
        """Leaves the function with a status where the condition holds."""
        number = self.counter = self.counter + 1
        scope = self.scopes[-1]
        scope.lines += [
            f"  br i1 {condition.name}, label %leave{number}, label %stay{number}, !prof !0",
            f"leave{number}:",
            f"  ret {status.type} {status.name}",
            f"stay{number}:",
        ]
        scope.label = f"stay{number}"
