"""The names that a user may write. Compiled code knows each by its place in the tuple."""

METHODS = ("backprop", "layerwise", "finite_difference", "central_difference")
KERNELS_OF_ONE = ("auto", "matrix", "unrolled")
KERNELS = (*KERNELS_OF_ONE, "lanes")  # which is for many networks
SCHEMES = ("auto", "uniform", "glorot", "he", "zeros")
DTYPES = ("float32", "float64")
SPACINGS = ("even", "log")
GATES = ("and", "or", "nand", "nor", "xor", "xnor")
TASKS = ("auto", "classes", "values")
SCALES = ("standard", "range", "none")
TARGET_SCALES = ("auto", *SCALES)
# flags of fields whose names alone would not say whose they are
OPTIMIZER_FLAGS = {"eps": "--optimizer-eps"}
SCHEDULE_FLAGS = {
    "every": "--decay-every",
    "factor": "--decay-factor",
    "steps": "--cosine-steps",
    "least": "--least-rate",
    "patience": "--plateau-patience",
}
