"""Loops and branches made smaller: what does not change goes out, what nobody needs goes away.

Of a `scan`, products of its slices with what does not change become one product for all slices,
and sums of products one product after the loop: a library does them at the speed of the processor,
where one by one they wait for memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.avals import ShapedArray
from ..core.jaxpr import Atom, Equation, Jaxpr, Literal, Var, live_equations, make
from ..core.loops import Branch, Generate, Inline, Loop, Map, Opaque, Parallel, View

Emit = Callable[[Equation], Sequence[Atom]]  # writes an equation around the loop
MadeBy = Callable[[Atom], Equation | None]  # the equation around the loop that makes an atom

_FEWEST_SLICES = 4
_SMALL_MAP = 16  # elements; smaller maps are worked out where they are used
# What a loop would compute bit by bit is not kept whole if it is larger than this, and larger than
# what it is made from: a loop may well be there to save memory.
_MOST_KEPT_BYTES = 1 << 25
_STAYS = (Opaque, Loop, Branch, Inline, Parallel)


@dataclass
class Part:
    """One of the programs of a loop, its constants apart from what it carries and its slices."""

    consts: list[tuple[Atom, Var]]  # the atom outside, the variable inside
    rest: list[Var]
    equations: list[Equation]
    outs: list[Atom]
    name: str

    def rename(self, names: dict[Var, Atom]) -> None:
        """Uses other atoms in the place of variables."""
        if not names:
            return

        def new(a: Atom) -> Atom:
            while isinstance(a, Var) and a in names:
                a = names[a]
            return a

        self.equations = [e.replace(inputs=tuple(map(new, e.inputs))) for e in self.equations]
        self.outs = [new(a) for a in self.outs]

    def fold_constants(self, made_by: MadeBy) -> None:
        """Numbers and broadcast numbers are written inside; equal constants are merged."""
        names: dict[Var, Atom] = {}
        first: dict[Atom, Var] = {}
        kept: list[tuple[Atom, Var]] = []
        for atom, var in self.consts:
            if isinstance(atom, Literal):
                names[var] = atom
                continue
            if atom in first:
                names[var] = first[atom]
                continue
            made = made_by(atom)
            if made is not None and made.primitive.name == "broadcast_in_dim":
                source = made.inputs[0]
                if isinstance(source, Literal):
                    self.equations.insert(0, made.replace(outputs=(var,)))
                    continue
            first[atom] = var
            kept.append((atom, var))
        self.consts = kept
        self.rename(names)

    def hoist(self, emit: Emit) -> None:
        """Takes out what depends on constants only, but for what costs nothing where it is used."""
        fixed = {v for _, v in self.consts}
        invariant: list[Equation] = []
        for e in self.equations:
            moves = not e.effects and not isinstance(e.primitive.lower, _STAYS)
            if moves and all(isinstance(a, Literal) or a in fixed for a in e.inputs):
                fixed.update(e.outputs)
                invariant.append(e)
        if not invariant:
            return
        inside = {id(e) for e in invariant}
        varying = [e for e in self.equations if id(e) not in inside]
        needed = {a for e in varying for a in e.inputs} | set(self.outs)
        stays: list[Equation] = []
        crossing: dict[Var, None] = {}
        for e in reversed(invariant):
            if not any(v in needed for v in e.outputs):
                continue
            if _is_cheap(e) or _is_too_large(e.outputs, (a for a, _ in self.consts)):
                stays.append(e)
                needed.update(e.inputs)
            else:
                crossing.update((v, None) for v in e.outputs if v in needed)
        names: dict[Var, Atom] = {v: a for a, v in self.consts}
        wanted = make((), [v for _, v in self.consts], invariant, list(crossing))
        for e in live_equations(wanted):
            inputs = tuple(a if isinstance(a, Literal) else names[a] for a in e.inputs)
            names.update(zip(e.outputs, emit(e.replace(inputs=inputs)), strict=True))
        # Variables outside and inside are different ones, as each is defined once.
        fresh: dict[Var, Atom] = {v: Var(v.aval) for v in crossing}
        self.consts += [(names[v], fresh[v]) for v in crossing]  # type: ignore[misc]
        self.equations = [*reversed(stays), *varying]
        self.rename(fresh)

    def program(self) -> Jaxpr:
        invars = [*(v for _, v in self.consts), *self.rest]
        whole = make((), invars, self.equations, self.outs, self.name)
        return make((), invars, live_equations(whole), self.outs, self.name)


def _is_cheap(e: Equation) -> bool:
    loop = e.primitive.lower
    if isinstance(loop, View | Generate):
        return True
    return isinstance(loop, Map) and all(v.aval.size <= _SMALL_MAP for v in e.outputs)


def _is_too_large(made: Iterable[Atom], sources: Iterable[Atom], length: int = 1) -> bool:
    """Whether values, or stacks of so many of them, take more memory than it is worth."""
    largest = max((a.aval.nbytes for a in sources), default=0)
    return any(length * a.aval.nbytes > max(_MOST_KEPT_BYTES, largest) for a in made)


def part_of(program: Jaxpr, consts: Sequence[Atom]) -> Part:
    """A program whose leading inputs are constants."""
    count = len(consts)
    return Part(
        list(zip(consts, program.invars[:count], strict=True)),
        list(program.invars[count:]),
        list(program.equations),
        list(program.outvars),
        program.name,
    )


def smaller_scan(
    equation: Equation, inputs: Sequence[Atom], emit: Emit, made_by: MadeBy
) -> Sequence[Atom]:
    """Writes a `scan`, smaller where it can be, and gives the atoms of its outputs."""
    p = equation.params
    consts, carry, length = p["consts"], p["carry"], p["length"]
    part = part_of(p["jaxpr"], inputs[:consts])
    initial, slices = list(inputs[consts : consts + carry]), list(inputs[consts + carry :])
    states, sliced = part.rest[:carry], part.rest[carry:]
    outs, rows = part.outs[:carry], part.outs[carry:]
    results: dict[int, Atom] = {}
    # Carried values that never change are constants.
    still = [k for k in range(carry) if outs[k] is states[k]]
    for k in still:
        part.consts.append((initial[k], states[k]))
        results[k] = initial[k]
    moving = [k for k in range(carry) if k not in still]
    # So are slices that are all the same.
    kept: list[tuple[Atom, Var]] = []
    for atom, var in zip(slices, sliced, strict=True):
        same = _unrepeated(atom, var, emit, made_by)
        if same is None:
            kept.append((atom, var))
        else:
            part.consts.append((same, var))
    part.rest = [*(states[k] for k in moving), *(v for _, v in kept)]
    part.outs = [*(outs[k] for k in moving), *rows]
    part.fold_constants(made_by)
    part.hoist(emit)
    if length >= _FEWEST_SLICES:
        kept = _products_of_slices(part, kept, length, emit)
    sums = _Sums(part, [states[k] for k in moving], [initial[k] for k in moving])
    if length >= _FEWEST_SLICES:
        sums.find({v: a for a, v in kept}, length)
    left = [k for k, v in zip(moving, (states[k] for k in moving), strict=True) if v not in sums.of]
    part.rest = [*(states[k] for k in left), *(v for _, v in kept)]
    by_state = dict(zip((states[k] for k in moving), part.outs, strict=False))
    rows = [*part.outs[len(moving) :], *sums.stacked]
    part.outs = [*(by_state[states[k]] for k in left), *rows]
    program = part.program()
    written = equation.replace(
        inputs=(*(a for a, _ in part.consts), *(initial[k] for k in left), *(a for a, _ in kept)),
        outputs=tuple(
            Var(a)
            for a in (
                *(equation.outputs[k].aval for k in left),
                *(v.aval for v in equation.outputs[carry:]),
                *(_stacked(a.aval, length) for a in sums.stacked),
            )
        ),
        params={**p, "jaxpr": program, "consts": len(part.consts), "carry": len(left)},
    )
    found = list(emit(written))
    results.update(zip(left, found, strict=False))
    extra = found[len(left) + len(rows) - len(sums.stacked) :]
    results.update((moving[k], atom) for k, atom in sums.finish(extra, emit).items())
    ys = found[len(left) : len(found) - len(sums.stacked)]
    return [*(results[k] for k in range(carry)), *ys]


def _stacked(aval: ShapedArray, length: int) -> ShapedArray:
    return aval.strong().update(shape=(length, *aval.shape))


def _unrepeated(atom: Atom, var: Var, emit: Emit, made_by: MadeBy) -> Atom | None:
    """One slice of an array that is the same slice again and again, if that is what it is."""
    made = made_by(atom)
    if made is None or made.primitive.name != "broadcast_in_dim":
        return None
    dims = made.params["broadcast_dimensions"]
    if 0 in dims:
        return None
    params = {"shape": var.aval.shape, "broadcast_dimensions": tuple(d - 1 for d in dims)}
    (one,) = emit(made.replace(outputs=(Var(var.aval),), params=params))
    return one


def _products_of_slices(
    part: Part, slices: list[tuple[Atom, Var]], length: int, emit: Emit
) -> list[tuple[Atom, Var]]:
    """Makes products of slices with constants for all slices at once; gives the slices now."""
    outside = {v: a for a, v in slices}
    fixed = {v: a for a, v in part.consts}
    found: list[tuple[Atom, Var]] = []
    kept: list[Equation] = []
    for e in part.equations:
        product = _product_of_slice(e, outside, fixed, length)
        if product is None or _is_too_large(product.outputs, product.inputs):
            kept.append(e)
            continue
        (whole,) = emit(product)
        found.append((whole, e.outputs[0]))
    part.equations = kept
    part.rest = [*part.rest, *(v for _, v in found)]
    return [*slices, *found]


def _product_of_slice(
    e: Equation, outside: dict[Var, Atom], fixed: dict[Var, Atom], length: int
) -> Equation | None:
    if e.primitive.name != "dot_general":
        return None
    x, y = e.inputs
    (xc, yc), (xb, yb) = e.params["dimension_numbers"]
    if xb or yb:
        return None
    if not (x in outside and y in fixed):
        # (constant, slice) is (slice, constant) in the other order, if one has no dimensions left.
        if not (y in outside and x in fixed):
            return None
        if len(xc) != x.aval.ndim and len(yc) != y.aval.ndim:
            return None
        x, y, xc, yc = y, x, yc, xc
    numbers = ((tuple(d + 1 for d in xc), tuple(yc)), ((), ()))
    return e.replace(
        inputs=(outside[x], fixed[y]),  # type: ignore[index]
        outputs=(Var(_stacked(e.outputs[0].aval, length)),),
        params={**e.params, "dimension_numbers": numbers},
    )


class _Sums:
    """Carried sums of products, which nothing else in the loop reads.

    sum_t a_t b_t is one product of the stacked a and b, contracted over t as well.
    """

    def __init__(self, part: Part, states: Sequence[Var], initial: Sequence[Atom]) -> None:
        self.part = part
        self.states = states
        self.initial = initial
        self.of: dict[Var, tuple[int, Equation, Equation, list[Atom | int]]] = {}
        self.stacked: list[Atom] = []

    def find(self, slices: dict[Var, Atom], length: int) -> None:
        part = self.part
        made = {v: e for e in part.equations for v in e.outputs}
        uses: dict[Atom, int] = {}
        for a in (*(a for e in part.equations for a in e.inputs), *part.outs):
            uses[a] = uses.get(a, 0) + 1
        for k, state in enumerate(self.states):
            out = part.outs[k]
            total = made.get(out) if isinstance(out, Var) else None
            if total is None or total.primitive.name != "add":
                continue
            if uses[out] != 1 or uses.get(state, 0) != 1 or state not in total.inputs:
                continue
            term = total.inputs[1] if total.inputs[0] is state else total.inputs[0]
            product = made.get(term) if isinstance(term, Var) else None
            if product is None or product.primitive.name != "dot_general" or uses[term] != 1:
                continue
            if any(isinstance(a, Literal) for a in product.inputs):
                continue
            (_, _), (xb, yb) = product.params["dimension_numbers"]
            new = [a for a in product.inputs if a not in slices]
            if xb or yb or _is_too_large(new, slices.values(), length):
                continue
            sources = [self.source(a, slices) for a in product.inputs]
            self.of[state] = (k, total, product, sources)
        gone = {id(e) for _, total, product, _ in self.of.values() for e in (total, product)}
        part.equations = [e for e in part.equations if id(e) not in gone]

    def source(self, atom: Atom, slices: dict[Var, Atom]) -> Atom | int:
        """All values that an operand takes: the array outside, or a position in `stacked`."""
        if isinstance(atom, Var) and atom in slices:
            return slices[atom]
        if atom not in self.stacked:
            self.stacked.append(atom)
        return self.stacked.index(atom)

    def finish(self, found: Sequence[Atom], emit: Emit) -> dict[int, Atom]:
        """The sums, after the loop, by the position of what was carried."""
        results: dict[int, Atom] = {}
        for k, total, product, sources in self.of.values():
            x, y = (found[s] if isinstance(s, int) else s for s in sources)
            (xc, yc), _ = product.params["dimension_numbers"]
            numbers = (
                ((0, *(d + 1 for d in xc)), (0, *(d + 1 for d in yc))),
                ((), ()),
            )
            params = {**product.params, "dimension_numbers": numbers}
            aval = product.outputs[0].aval
            (sum_,) = emit(product.replace(inputs=(x, y), outputs=(Var(aval),), params=params))
            (result,) = emit(
                total.replace(inputs=(self.initial[k], sum_), outputs=(Var(total.outputs[0].aval),))
            )
            results[k] = result
        return results


def smaller_while(
    equation: Equation, inputs: Sequence[Atom], emit: Emit, made_by: MadeBy
) -> Sequence[Atom]:
    """Writes a `while_loop`, smaller where it can be, and gives the atoms of its outputs."""
    p = equation.params
    first, second = p["cond_consts"], p["body_consts"]
    initial = list(inputs[first + second :])
    cond = part_of(p["cond_jaxpr"], inputs[:first])
    body = part_of(p["body_jaxpr"], inputs[first : first + second])
    count = len(initial)
    # Where elements stop one by one the predicate's dimensions are those of all carried values.
    still = [k for k in range(count) if body.outs[k] is body.rest[k]]
    moving = [k for k in range(count) if k not in still]
    for part in (cond, body):
        part.consts += [(initial[k], part.rest[k]) for k in still]
        part.rest = [part.rest[k] for k in moving]
    body.outs = [body.outs[k] for k in moving]
    for part in (cond, body):
        part.fold_constants(made_by)
        part.hoist(emit)
    operands = [*(a for a, _ in cond.consts), *(a for a, _ in body.consts)]
    written = equation.replace(
        inputs=(*operands, *(initial[k] for k in moving)),
        outputs=tuple(Var(equation.outputs[k].aval) for k in moving),
        params={
            **p,
            "cond_jaxpr": cond.program(),
            "body_jaxpr": body.program(),
            "cond_consts": len(cond.consts),
            "body_consts": len(body.consts),
        },
    )
    results = dict(zip(moving, emit(written), strict=True))
    return [results[k] if k in results else initial[k] for k in range(count)]


# -- what nobody needs -----------------------------------------------------------------------------


def pruned(equations: Sequence[Equation], outputs: Sequence[Atom]) -> list[Equation]:
    """The equations that outputs or effects need, and of loops and branches only what they need."""
    live = {a for a in outputs if isinstance(a, Var)}
    kept: list[Equation] = []
    for e in reversed(equations):
        if not e.effects and not any(v in live for v in e.outputs):
            continue
        if isinstance(e.primitive.lower, Loop | Branch):
            e = _pruned_equation(e, [v in live for v in e.outputs])
        kept.append(e)
        live.update(a for a in e.inputs if isinstance(a, Var))
    kept.reverse()
    return kept


def _pruned_equation(e: Equation, wanted: Sequence[bool]) -> Equation:
    if isinstance(e.primitive.lower, Branch):
        return _pruned_branch(e, wanted)
    return _pruned_scan(e, wanted) if e.primitive.lower.counted else _pruned_while(e, wanted)


def _needs(program: Jaxpr, wanted: Sequence[bool]) -> tuple[list[Equation], set[Atom]]:
    """The equations that some outputs need, and the variables they and those outputs use."""
    outs = [a for a, w in zip(program.outvars, wanted, strict=True) if w]
    equations = pruned(program.equations, outs)
    return equations, {*(a for q in equations for a in q.inputs), *outs}


def _pruned_scan(e: Equation, wanted: Sequence[bool]) -> Equation:
    p = e.params
    program: Jaxpr = p["jaxpr"]
    consts, carry = p["consts"], p["carry"]
    states = program.invars[consts : consts + carry]
    live = list(wanted)
    while True:
        equations, used = _needs(program, live)
        more = [w or v in used for w, v in zip(live[:carry], states, strict=True)]
        if more == live[:carry]:
            break
        live[:carry] = more
    keep = [v in used for v in program.invars]
    keep[consts : consts + carry] = live[:carry]
    if all(keep) and all(live) and len(equations) == len(program.equations):
        return e.replace(params={**p, "jaxpr": program.replace(equations=tuple(equations))})
    inner = _shorter(program, keep, live, equations)
    params = {**p, "jaxpr": inner, "consts": sum(keep[:consts]), "carry": sum(live[:carry])}
    return _rebuilt(e, keep, live, params)


def _pruned_while(e: Equation, wanted: Sequence[bool]) -> Equation:
    p = e.params
    cond, body = p["cond_jaxpr"], p["body_jaxpr"]
    first, second = p["cond_consts"], p["body_consts"]
    cond_equations, cond_used = _needs(cond, [True])
    live = [w or v in cond_used for w, v in zip(wanted, cond.invars[first:], strict=True)]
    while True:
        equations, used = _needs(body, live)
        more = [w or v in used for w, v in zip(live, body.invars[second:], strict=True)]
        if more == live:
            break
        live = more
    keep_cond = [*(v in cond_used for v in cond.invars[:first]), *live]
    keep_body = [*(v in used for v in body.invars[:second]), *live]
    params = {
        **p,
        "cond_jaxpr": _shorter(cond, keep_cond, [True], cond_equations),
        "body_jaxpr": _shorter(body, keep_body, live, equations),
        "cond_consts": sum(keep_cond[:first]),
        "body_consts": sum(keep_body[:second]),
    }
    return _rebuilt(e, [*keep_cond[:first], *keep_body], live, params)


def _pruned_branch(e: Equation, wanted: Sequence[bool]) -> Equation:
    branches: Sequence[Jaxpr] = e.params["branches"]
    found = [_needs(b, wanted) for b in branches]
    keep = [
        any(b.invars[k] in used for b, (_, used) in zip(branches, found, strict=True))
        for k in range(len(e.inputs) - 1)
    ]
    shorter = tuple(
        _shorter(b, keep, wanted, equations)
        for b, (equations, _) in zip(branches, found, strict=True)
    )
    return _rebuilt(e, [True, *keep], wanted, {**e.params, "branches": shorter})


def _shorter(
    program: Jaxpr, keep: Sequence[bool], wanted: Sequence[bool], equations: Sequence[Equation]
) -> Jaxpr:
    invars = [v for v, k in zip(program.invars, keep, strict=True) if k]
    outs = [a for a, w in zip(program.outvars, wanted, strict=True) if w]
    return make((), invars, equations, outs, program.name)


def _rebuilt(
    e: Equation, keep: Sequence[bool], wanted: Sequence[bool], params: dict[str, Any]
) -> Equation:
    return e.replace(
        inputs=tuple(a for a, k in zip(e.inputs, keep, strict=True) if k),
        outputs=tuple(v for v, w in zip(e.outputs, wanted, strict=True) if w),
        params=params,
    )
