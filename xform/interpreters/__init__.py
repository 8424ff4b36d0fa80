"""Interpreters of primitives, one per file. They know rows, and of operators only add, zeros and moveaxis."""
