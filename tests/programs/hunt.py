"""Long hunts, outside of pytest: `python -m tests.programs.hunt derive 0 5000`.

Draws the programs of a range of seeds, checks each in one way of `checks.CHECKS` (or in all of
them, by "all"), and prints those that fail as small as it can make them.
"""

import argparse
import contextlib
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

from tests.programs.checks import CHECKS, check_positions, double
from tests.programs.drawing import shrunk
from tests.programs.grammar import from_numbers, from_seed
from tests.programs.values import Program
from xform.compiler import request
from xform.compiler.target import Target, host

_MOST_TRIES = 1500
TARGETS = {
    "avx2": Target(host().triple, "x86-64-v3", "", 32, True),
    "baseline": Target(host().triple, "x86-64", "", 16, False),
}
EVERY = {**CHECKS, "positions": check_positions}


def fault_of(program: Program, ways: Sequence[str]) -> str | None:
    """The way that fails and the kind of error, if one does."""
    for way in ways:
        try:
            EVERY[way](program)
        except Exception as error:
            return f"{way} {type(error).__name__}"
    return None


def hunt(ways: Sequence[str], start: int, stop: int, options: dict[str, Any]) -> int:
    """Checks the programs of the seeds; gives the number of those that fail."""
    faults = 0
    for seed in range(start, stop):
        if seed > start and (seed - start) % 250 == 0:
            print(f"{seed - start} programs, {faults} fail", flush=True)
        try:
            program, used = from_seed(seed, **options)
        except Exception:
            faults += 1
            print(
                f"\n--- seed {seed}: drawing it fails\n{traceback.format_exc(limit=-4)}", flush=True
            )
            continue
        fault = fault_of(program, ways)
        if fault is None:
            continue
        faults += 1
        tries = 0

        def fails(numbers: Sequence[int], fault: str = fault) -> bool:
            nonlocal tries
            tries += 1
            if tries > _MOST_TRIES:
                return False
            return fault_of(from_numbers(numbers, **options), (fault.split()[0],)) == fault

        least = from_numbers(shrunk(used, fails), **options)
        print(f"\n--- seed {seed}: {fault}\n{least!r}", flush=True)
        with contextlib.suppress(Exception):
            try:
                EVERY[fault.split()[0]](least)
            except Exception:
                print(traceback.format_exc(limit=-3), flush=True)
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=[*EVERY, "all"])
    parser.add_argument("start", type=int)
    parser.add_argument("stop", type=int)
    parser.add_argument("--smooth", action="store_true")
    parser.add_argument("--straight", action="store_true")
    parser.add_argument("--target", choices=TARGETS, help="compiles for older processors")
    given = parser.parse_args()
    ways = list(CHECKS) if given.way == "all" else [given.way]
    warnings.simplefilter("error")
    if given.target:
        request.host = lambda: TARGETS[given.target]
    with double():
        options: dict[str, Any] = {"smooth": given.smooth, "loops": not given.straight}
        if given.way == "positions":
            options["axes"] = (("d", 2),)
        count = hunt(ways, given.start, given.stop, options)
    print(f"{count} of {given.stop - given.start} programs fail", flush=True)


if __name__ == "__main__":
    main()
