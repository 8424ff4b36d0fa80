"""What was measured: rows of times and ratios, as text, Markdown and JSON."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from remarks import REMARKS


@dataclass(frozen=True)
class Row:
    """Times of one thing done by several libraries.

    Attributes:
        group: the table it stands in.
        title: what is done.
        times: seconds by library; "xform" among them.
        against: the library whose time is compared with xform's.
        least: how many times faster than it xform is to be; None where there is no target.
        allowance_s: seconds that xform may take more.
    """

    group: str
    title: str
    times: dict[str, float]
    against: str = "jax"
    least: float | None = None
    allowance_s: float = 0.0

    @property
    def ratio(self) -> float:
        """How many times faster xform is; above 1 is faster."""
        return (self.times[self.against] + self.allowance_s) / self.times["xform"]

    @property
    def passed(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        return None if self.least is None else self.ratio >= self.least

    def record(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {**asdict(self), "ratio": self.ratio, "passed": self.passed}

    def cells(self, columns: Sequence[str]) -> list[str]:
        """The row as a table has it."""
        times = [duration(self.times[c]) if c in self.times else "" for c in columns]
        verdict = {None: "", True: "yes", False: "no"}[self.passed]
        least = "" if self.least is None else f"{self.least:.3g}"
        return [self.title, *times, f"{self.ratio:.3g}", least, verdict]


@dataclass
class Report:
    """All rows, and where they were measured."""

    versions: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    def mean_ratio(self, group: str) -> float:
        """The geometric mean of the ratios of a group."""
        ratios = [row.ratio for row in self.rows if row.group == group]
        return math.exp(sum(map(math.log, ratios)) / len(ratios))

    def groups(self) -> list[str]:
        """The names of the tables, in order."""
        return list(dict.fromkeys(row.group for row in self.rows))

    def table(self, group: str) -> str:
        """A table in Markdown."""
        rows = [row for row in self.rows if row.group == group]
        columns = list(dict.fromkeys(name for row in rows for name in row.times))
        head = [group, *columns, "ratio", "target", "reached"]
        lines = [head, *(row.cells(columns) for row in rows)]
        widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
        lines.insert(1, ["-" * width for width in widths])
        padded = [[c.ljust(w) for c, w in zip(line, widths, strict=True)] for line in lines]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)

    def markdown(self) -> str:
        """The page for the documentation."""
        tables = []
        for group in self.groups():
            mean = f"Geometric mean of the ratios: {self.mean_ratio(group):.3g}."
            tables.append(f"## {group}\n\n{self.table(group)}\n\n{mean}\n")
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return PAGE.format(
            machine=processor(),
            versions=versions,
            tables="\n".join(tables).rstrip(),
            misses=self.misses(),
        )

    def misses(self) -> str:
        """The targets that are missed, each with its cause where that is known."""
        missed = [row.title for row in self.rows if row.passed is False]
        if not missed:
            return "All targets are reached."
        known = [f"- **{title}**: {REMARKS.get(title, 'no known cause.')}" for title in missed]
        return "\n".join(known)

    def record(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "machine": processor(),
            "versions": self.versions,
            "rows": [row.record() for row in self.rows],
        }


PAGE = """# Benchmarks

Made by `make bench`, which measures all libraries in one process pinned to one core, one sample of
each in turn, and gives the medians. Results are compared before anything is measured. *Ratio* is
how many times faster xform is than the library it is compared with: JAX where there is no other
remark. *Target* is the least ratio wanted.

Machine: {machine}.
Versions: {versions}.

JAX runs with `--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1`, and every library
with one thread. Numba compiles the loops that `benchmarks/cases.py` shows, without `fastmath`.

{tables}

## Where a target is missed

{misses}
"""


def duration(seconds: float) -> str:
    """A time in a unit that suits it.

    >>> duration(2.5e-6)
    '2.5 us'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def processor() -> str:
    """The name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
