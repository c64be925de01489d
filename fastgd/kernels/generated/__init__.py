"""Kernels that are written out for one small network: its equations, and the loops around them."""
