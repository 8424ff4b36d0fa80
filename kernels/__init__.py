"""LLVM builders that know nothing of xform: scalar formulas, loops, matrix products, the runtime.

Installed as `xform.kernels`, and reached through `xform._kernels` only. The modules here import
LLVM and NumPy, and hold no state.
"""
