"""Headers of C compiled and called: which compilers there are, and a library of many networks."""

import ctypes
import os
import shutil
import subprocess

import numpy as np

FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion"]
# what each needs to take a file as C99, or as C++
LANGUAGES = {"gcc": ["-std=c99"], "clang": ["-std=c99"], "g++": ["-x", "c++"], "clang++": ["-x", "c++"]}
PER_FILE = 50


def missing(compiler):
    """Why a test by this compiler is skipped, if it is."""
    return None if shutil.which(compiler) else f"no {compiler}"


def library(folder, compiler, headers, wrappers, *flags):
    """A library of the functions `wrappers`, texts that call those of the texts `headers`, in few files."""
    sources = []
    for start in range(0, len(headers), PER_FILE):
        part = range(start, min(start + PER_FILE, len(headers)))
        for i in part:
            (folder / f"n{i}.h").write_text(headers[i], encoding="utf-8")
        source = folder / f"part{start}.c"
        external = '#ifdef __cplusplus\nextern "C" {\n#endif\n', "#ifdef __cplusplus\n}\n#endif\n"
        includes = "".join(f'#include "n{i}.h"\n' for i in part)
        source.write_text(includes + external[0] + "".join(wrappers[i] for i in part) + external[1])
        sources.append(source)
    made = folder / "library.so"
    command = [compiler, *LANGUAGES[compiler], *FLAGS, "-O1", *flags, "-shared", "-fPIC", "-o", made, *sources, "-lm"]
    subprocess.run(list(map(os.fspath, command)), check=True)
    return ctypes.CDLL(os.fspath(made))


def called(function, X, outputs, dtype):
    """(n, outputs) of a function `f(x, y)`, row by row."""
    X = np.ascontiguousarray(X, dtype)
    Y = np.full((len(X), outputs), -7.0, dtype)
    for x, y in zip(X, Y, strict=True):
        function(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data))
    return Y
