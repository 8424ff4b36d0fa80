"""Operators whose parameters hold programs or functions."""
