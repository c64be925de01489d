"""Functions of kernels as LLVM functions, without Numba's front end, statement by statement."""
