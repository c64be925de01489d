"""Functions of numbers as formulas: written down once, by calling them with symbols; then derived,
compiled, printed and compared.
"""
