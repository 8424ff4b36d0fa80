"""The compiler: a jaxpr becomes loop nests, an LLVM module, and object code."""
