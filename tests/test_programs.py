"""Random programs: every way of running them agrees, and so do their derivatives and batches.

`tests/programs` draws the programs (`grammar.py`), says what is checked of them (`checks.py`), and
hunts for faults for as long as one likes (`hunt.py`). What was found stands in
`test_found_programs.py`, each fault as a test of its own, with the program as it was made smaller.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.programs.checks import (
    arrays,
    check_batches,
    check_derivatives,
    check_donation,
    check_positions,
    check_ways_of_running,
    double,
)
from tests.programs.drawing import Draw, Tape, shrunk
from tests.programs.grammar import from_numbers, from_seed, programs
from tests.programs.values import defined

NIGHTLY = 5000  # examples per property; `make nightly` draws twice as many programs


def share(part: int) -> settings:
    """So many programs for each hundred examples of a property."""
    examples = settings().max_examples
    return settings(max_examples=part * examples // 100 * (2 if examples >= NIGHTLY else 1))


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with double():
        yield


@share(200)
@given(programs(loops=False))
def test_every_way_of_running_agrees(program):
    check_ways_of_running(program)


@share(320)
@given(programs(most=6))
def test_every_way_of_running_loops_agrees(program):
    check_ways_of_running(program)


@share(80)
@given(programs(most=6))
def test_donation_changes_no_result(program):
    check_donation(program)


@share(160)
@given(programs(most=6))
def test_forward_and_reverse_mode_are_adjoint(program):
    check_derivatives(program)


@share(100)
@given(programs(most=6, smooth=True))
def test_derivatives_are_differences(program):
    check_derivatives(program)


@share(140)
@given(programs(most=5))
def test_vmap_is_a_loop(program):
    check_batches(program)


@share(100)
@given(programs(most=5, axes=(("d", 2),)))
def test_pmap_is_vmap(program):
    check_positions(program)


# -- the programs themselves ----------------------------------------------------------------------


def test_programs_are_text_that_can_be_read():
    program, _ = from_seed(8)
    assert program.text.splitlines()[0] == "def f(x0, x1, x2, x3):"
    results = defined(program.text)(*arrays(program.inputs))
    assert len(results) == len(program.outputs)


def test_programs_can_be_drawn_again():
    program, used = from_seed(8)
    assert from_numbers(used).text == program.text


def test_programs_become_smaller():
    """The least program with a loop over a slice, of one that has much more."""

    def fails(numbers):
        return "lax.scan" in from_numbers(numbers).text

    program, used = from_seed(8)
    least = from_numbers(shrunk(used, fails))
    assert "lax.scan" in least.text and len(least.lines) < len(program.lines)
    assert sum(x.size for x in least.inputs) <= sum(x.size for x in program.inputs)


def test_choices_past_the_end_are_the_simplest():
    draw = Draw(Tape([4]).below)
    assert (draw.below(3), draw.below(3), draw.pick("abc")) == (1, 0, "a")
