"""What computing a value costs, roughly, in additions."""

from __future__ import annotations

from collections.abc import Container

from ..core.loops import Generate, Map, View
from .loop_graph import Node, Scalar

_COSTS = dict.fromkeys(("add", "sub", "mul", "neg", "max", "min", "select_n", "square"), 1)
_COSTS |= dict.fromkeys(("div", "sqrt", "rsqrt", "rem", "integer_pow"), 4)
_COSTS |= dict.fromkeys(("exp", "exp2", "expm1", "log", "log2", "log1p", "tanh", "logistic"), 12)
_COSTS |= dict.fromkeys(("sin", "cos", "tan", "erf"), 12)
_COSTS |= dict.fromkeys(("pow", "atan2", "erfc", "lgamma", "digamma", "threefry2x32"), 40)
TRANSCENDENTAL = 8


def own_cost(node: Node) -> int:
    """What one element costs, its operands given."""
    loop = node.loop
    if isinstance(loop, Map):
        return _COSTS.get(loop.scalar, 2 if len(node.inputs) < 3 else 4)
    return 0


class Costs:
    """The cost of computing a node once, its inline operands included."""

    def __init__(self, stored: Container[Node]) -> None:
        self.stored = stored
        self.memo: dict[Node, int] = {}

    def __call__(self, node: Node) -> int:
        todo = [node]
        while todo:
            n = todo[-1]
            if n in self.memo:
                todo.pop()
                continue
            missing = [x for x in n.inputs if self._inline(x) and x not in self.memo]
            if missing:
                todo.extend(missing)
                continue
            below = sum(self.memo[x] for x in n.inputs if self._inline(x))
            self.memo[n] = min(own_cost(n) + below, 10**6)
            todo.pop()
        return self.memo[node]

    def _inline(self, x: Node) -> bool:
        return x not in self.stored and isinstance(x.loop, Map | View | Generate | Scalar)
