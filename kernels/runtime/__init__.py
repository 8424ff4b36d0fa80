"""The native runtime: dispatcher, arrays and their memory, written in C, shipped as LLVM IR.

`runtime.ll` is made from the C files beside it by `build.py`; using it takes no C compiler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RuntimeSource", "runtime_source"]

_CONSTANT = re.compile(r"^@(\w+) = external .*constant i64, align 8$", re.MULTILINE)


@dataclass(frozen=True)
class RuntimeSource:
    """The runtime as LLVM IR, with the layout of the interpreter's objects left open.

    Args:
        text: the module.
        imports: the symbols of the Python interpreter that it uses.
        exports: the functions and variables it defines.
    """

    text: str
    imports: tuple[str, ...]
    exports: tuple[str, ...]

    def specialized(self, constants: Mapping[str, int]) -> str:
        """The module with its constants defined, so that LLVM can fold them.

        Args:
            constants: the value of each external constant, by name.

        Returns:
            The text of a module for `Target.object_code`.

        Raises:
            KeyError: a constant is missing.

        >>> RuntimeSource("@N = external constant i64, align 8", (), ()).specialized({"N": 16})
        '@N = internal constant i64 16'
        """
        return _CONSTANT.sub(
            lambda found: f"@{found[1]} = internal constant i64 {constants[found[1]]}", self.text
        )


def runtime_source() -> RuntimeSource:
    """Read the runtime that is shipped with the package.

    Returns:
        The module and the names it needs and offers.

    >>> "function_vectorcall" in runtime_source().exports
    True
    """
    text = Path(__file__).with_name("runtime.ll").read_text(encoding="utf-8")
    head = dict(line[2:].split(": ", 1) for line in text[: text.index("\n\n")].splitlines()[1:])
    return RuntimeSource(text, tuple(head["imports"].split()), tuple(head["exports"].split()))
