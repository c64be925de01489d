"""SciPy's BLAS: where its matrix product is, and on how many threads it runs.

Compiled code that is kept on disk cannot hold the address of a function, so the address is an argument of kernels.
"""

import ctypes
import threading
from typing import Any

import numpy as np


def gemm_address(dtype: np.dtype[Any]) -> int:
    """The address of dgemm or sgemm."""
    from scipy.linalg import cython_blas

    name = {"float64": "dgemm", "float32": "sgemm"}[dtype.name]
    capsule = dict(cython_blas.__pyx_capi__)[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_GetPointer.restype, api.PyCapsule_GetPointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


class _OneThread:
    """While anyone is inside, BLAS runs on one thread: the bits of a product depend on the number of threads.

    The number belongs to the process, so the first to enter sets it and the last to leave puts it back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.limit: Any = None

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:
            if self.inside == 0:
                gemm_address(np.dtype("float64"))  # loads the library: the limit holds for those that are loaded
                self.limit = threadpool_limits(1, user_api="blas")
            self.inside += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limit.restore_original_limits()


one_thread = _OneThread()
