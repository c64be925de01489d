"""The derivation of the gradient of one network, as the notes do it, made of the lines that the
unrolled kernel compiles: as LaTeX, Markdown, Python, C and SymPy.
"""
