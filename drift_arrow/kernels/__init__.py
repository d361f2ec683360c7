"""Kernels: NumPy arrays in, NumPy arrays out, compiled by numba. They know no Arrow, no files and no threads."""
