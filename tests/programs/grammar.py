"""Random well-typed programs, as Python text that can be read, run, and kept as a test.

A program is drawn statement by statement. Each statement is run as it is drawn, one element and
one step at a time, so that the next one knows the shapes, the dtypes and the numbers it can use.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.programs.building import Builder, Scope
from tests.programs.drawing import Draw, Tape, by_hypothesis
from tests.programs.loops import STRUCTURED, drawn_input
from tests.programs.values import Program


def program(
    draw: Draw,
    most: int = 12,
    smooth: bool = False,
    loops: bool = True,
    axes: tuple[tuple[str, int], ...] = (),
) -> Program:
    """A program of at most `most` statements; with `smooth`, differentiable and in float64.

    One with `axes` is what each position of these named axes runs.
    """
    b = Builder(draw, STRUCTURED if loops else (), smooth)
    inputs = [drawn_input(b, k) for k in draw.several(4, 1)]
    scope = Scope(list(inputs), traced=bool(axes), axes=axes)
    b.block(scope, most)
    made = scope.pool[len(inputs) :] or scope.pool[-1:]
    others = [draw.recent(made) for _ in draw.several(3)]
    outputs = list({k.name: k for k in (made[-1], *others)}.values())
    return Program(
        [np.asarray(k.value) for k in inputs],
        scope.lines,
        [k.name for k in outputs],
        smooth,
        [k.exact for k in outputs],
        b.precision,
        frozenset(b.claims),
        axes,
    )


@st.composite
def programs(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    most: int = 12,
    smooth: bool = False,
    loops: bool = True,
    axes: tuple[tuple[str, int], ...] = (),
) -> Program:
    """Programs that hypothesis draws and shrinks."""
    return program(by_hypothesis(draw), most, smooth, loops, axes)


def from_numbers(numbers: Sequence[int], **options: Any) -> Program:
    """The program that a list of choices makes."""
    return program(Draw(Tape(numbers).below), **options)


def from_seed(seed: int, **options: Any) -> tuple[Program, list[int]]:
    """A program and the choices it was made by."""
    tape = Tape(rng=random.Random(seed))
    return program(Draw(tape.below), **options), tape.used
