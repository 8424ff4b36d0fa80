"""Interpreters of primitives, one per file; of operators they know add, zeros and moveaxis."""
