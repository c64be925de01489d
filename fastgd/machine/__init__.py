"""All that touches Numba and LLVM: compiling, vectors, spans of memory, structs, machine code and
where it is kept.
"""
