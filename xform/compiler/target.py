"""The machine that code is compiled for, and the step from LLVM IR to object code.

All use of LLVM goes through `llvm_lock`: LLVM's contexts are not thread-safe, and a process that
forks while another thread compiles must not inherit a lock that nobody will release.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import llvmlite
import llvmlite.binding as llvm

from xform.errors import CompileError

__all__ = ["Target", "host", "llvm_lock"]

llvm_lock = threading.RLock()
"""Held around every call into LLVM; taken before a fork, so that the child can compile too."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=llvm_lock.acquire,
        after_in_parent=llvm_lock.release,
        after_in_child=llvm_lock.release,
    )

# The passes a caller may name; the whole pipelines "O1" to "O3" are named beside them.
_PASSES: dict[str, Callable[[llvm.ModulePassManager], None]] = {
    "always-inline": lambda passes: passes.add_always_inliner_pass(),
    "sroa": lambda passes: passes.add_sroa_pass(),
    "instcombine": lambda passes: passes.add_instruction_combine_pass(),
    "simplifycfg": lambda passes: passes.add_simplify_cfg_pass(),
    "new-gvn": lambda passes: passes.add_new_gvn_pass(),
    "dead-code": lambda passes: passes.add_aggressive_dce_pass(),
    "global-dce": lambda passes: passes.add_global_dead_code_eliminate_pass(),
}
_PIPELINES = {"O1": 1, "O2": 2, "O3": 3}


@dataclass(frozen=True)
class Target:
    """A machine to compile for.

    Args:
        triple: LLVM's name of architecture, vendor and system.
        cpu: LLVM's name of the processor, which chooses the instruction scheduling.
        features: the instruction sets, as LLVM writes them: ``"+avx2,-sse4a,..."``.
        vector_bytes: the width of the vector registers worth using.
        has_fma: whether a fused multiply-add is one instruction.

    >>> Target("x86_64-unknown-linux-gnu", "x86-64-v3", "", 32, True).vector_bytes
    32
    """

    triple: str
    cpu: str
    features: str
    vector_bytes: int
    has_fma: bool

    @property
    def registers(self) -> int:
        """The number of vector registers."""
        return 32 if self.vector_bytes == 64 or not self.triple.startswith("x86_64") else 16

    def identity(self) -> str:
        """Everything about the target and the tools that object code depends on.

        Returns:
            A string to put into cache keys.
        """
        version = ".".join(map(str, llvm.llvm_version_info))
        return "|".join((self.triple, self.cpu, self.features, llvmlite.__version__, version))

    def object_code(self, ir_text: str, *, opt_level: int = 2, passes: Iterable[str] = ()) -> bytes:
        """Compile the text of an LLVM module.

        Args:
            ir_text: the module, without a triple or data layout of its own.
            opt_level: the code generator's effort, 1 to 3. Level 0 is refused, because LLVM
                aborts the process when it meets AVX-512 masks there.
            passes: IR passes to run first, in order: ``"always-inline"``, ``"sroa"``,
                ``"instcombine"``, ``"simplifycfg"``, ``"new-gvn"``, ``"dead-code"``,
                ``"global-dce"``, or a whole pipeline ``"O1"``, ``"O2"``, ``"O3"``.

        Returns:
            An object file for `xform.runtime.engine.link`.

        Raises:
            CompileError: the module is not valid, or an argument is not one of those above.

        >>> code = host().object_code("define i32 @one() { ret i32 1 }")
        >>> len(code) > 100
        True
        """
        names = tuple(passes)
        unknown = [name for name in names if name not in _PASSES and name not in _PIPELINES]
        if unknown:
            known = ", ".join((*_PASSES, *_PIPELINES))
            raise CompileError(f"expected passes among {known}", f"{unknown[0]!r}")
        if opt_level not in (1, 2, 3):
            raise CompileError("expected opt_level 1, 2 or 3", f"{opt_level!r}")
        with llvm_lock:
            machine = _machine(self, opt_level)
            module = self._parse(ir_text, machine)
            _run(module, machine, names)
            return bytes(machine.emit_object(module))

    def assembly(self, ir_text: str, *, opt_level: int = 2, passes: Iterable[str] = ()) -> str:
        """Compile like `object_code`, and return the assembly text, for people to read.

        Args:
            ir_text: the module.
            opt_level: as for `object_code`.
            passes: as for `object_code`.

        Returns:
            The assembly of the whole module.

        Raises:
            CompileError: the module is not valid.

        >>> "one" in host().assembly("define i32 @one() { ret i32 1 }")
        True
        """
        with llvm_lock:
            machine = _machine(self, opt_level)
            module = self._parse(ir_text, machine)
            _run(module, machine, tuple(passes))
            return str(machine.emit_assembly(module))

    def _parse(self, ir_text: str, machine: llvm.TargetMachine) -> llvm.ModuleRef:
        """Parse and verify in a context of its own, which dies with the module."""
        try:
            module = llvm.parse_assembly(ir_text, context=llvm.create_context())
            module.triple = self.triple
            module.data_layout = str(machine.target_data)
            module.verify()
        except RuntimeError as error:
            raise CompileError("expected valid LLVM IR", str(error).strip()) from error
        return module


@functools.cache
def _initialize() -> None:
    """Make the code generators known to LLVM, once."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@functools.cache
def _machine(target: Target, opt_level: int) -> llvm.TargetMachine:
    """Make LLVM's code generator for a target; the caller holds `llvm_lock`.

    Code and data of a linked library may lie further apart than 2 GiB, so x86 code uses the large
    code model; with the static relocation model it needs no global offset table.
    """
    _initialize()
    static = target.triple.startswith(("x86_64", "i686"))
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=opt_level,
        reloc="static" if static else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _run(module: llvm.ModuleRef, machine: llvm.TargetMachine, names: tuple[str, ...]) -> None:
    """Run the named passes in order; a whole pipeline ends the list built so far."""
    if not names:
        return
    options = llvm.create_pipeline_tuning_options()
    builder = llvm.create_pass_builder(machine, options)
    manager = llvm.create_new_module_pass_manager()
    for name in names:
        if name in _PIPELINES:
            manager.run(module, builder)
            options = llvm.create_pipeline_tuning_options(speed_level=_PIPELINES[name])
            builder = llvm.create_pass_builder(machine, options)
            builder.getModulePassManager().run(module, builder)
            manager = llvm.create_new_module_pass_manager()
        else:
            _PASSES[name](manager)
    manager.run(module, builder)


@functools.cache
def host() -> Target:
    """The processor this process runs on.

    Returns:
        The target; the same object every time.

    >>> host() is host() and host().vector_bytes in (16, 32, 64)
    True
    """
    with llvm_lock:
        _initialize()
        triple = llvm.get_process_triple()
        cpu = llvm.get_host_cpu_name()
        # Virtual machines often report another processor's name, so the features are named too.
        features = llvm.get_host_cpu_features()
    wide = 32 if features.get("avx2") else 16
    vector_bytes = 64 if features.get("avx512f") else wide
    has_fma = bool(features.get("fma")) or triple.startswith(("aarch64", "arm64"))
    return Target(triple, cpu, features.flatten(), vector_bytes, has_fma)
