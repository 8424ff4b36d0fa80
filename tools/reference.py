"""Writes the reference: one page per public module, with every name, signature and docstring.

python tools/reference.py docs/reference
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from pathlib import Path

# The layers that users import; the others are described in CONTRIBUTING.md.
INTERNAL = ("api", "compiler", "core", "higher_order", "interpreters", "kernels", "ops", "runtime")
INTERNAL += ("treedef", "treenode")


def public_modules() -> list[str]:
    """List the modules that are for users."""
    package = importlib.import_module("xform")
    names = ["xform"]
    for module in pkgutil.walk_packages(package.__path__, "xform."):
        parts = module.name.split(".")[1:]
        hidden = parts[0] in INTERNAL or any(part.startswith("_") for part in parts)
        if not hidden and hasattr(importlib.import_module(module.name), "__all__"):
            names.append(module.name)
    return names


def signature(value: object) -> str:
    """Write the parameters of a function or class; nothing for other values."""
    if not callable(value):
        return ""
    try:
        return str(inspect.signature(value))
    except (TypeError, ValueError):  # Types made in C do not say.
        return "(...)"


def page(name: str) -> str:
    """Write the page of a module."""
    module = importlib.import_module(name)
    lines = [f"# {name}", "", inspect.getdoc(module) or "", ""]
    for public in sorted(module.__all__, key=str.lower):
        value = getattr(module, public)
        lines += [f"## {public}", "", "```python", f"{public}{signature(value)}", "```", ""]
        if callable(value) or inspect.ismodule(value):
            lines += [inspect.getdoc(value) or "", ""]
    return "\n".join(lines)


def main(folder: Path) -> None:
    """Write all pages and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    names = public_modules()
    for name in names:
        (folder / f"{name}.md").write_text(page(name), encoding="utf-8")
    index = "\n".join(f"- [{name}]({name}.md)" for name in names)
    (folder / "index.md").write_text(f"# Reference\n\n{index}\n", encoding="utf-8")
    print(f"reference: {len(names)} pages in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
