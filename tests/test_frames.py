"""Frames and series of pandas and polars become numbers as for scikit-learn; what holds none is refused with what to call."""

import datetime
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas
import polars
import pytest
import scipy.sparse
from conftest import assert_refused
from sklearn.utils import check_array

import fastgd

T, V = TypeError, ValueError
EYE = fastgd.MLP(3, 3, activation="identity")  # with these parameters it gives back its inputs
AS_IS = EYE.pack([(np.eye(3), None)])
NET = fastgd.MLP(3, 2, 1)
Y = np.array([0.0, 1.0, 1.0, 0.0])

FRAMES = {
    "bool, int, float": pandas.DataFrame({"a": [True, False, True, True], "b": [1, 2, 3, -4], "c": [0.5, 1, 2, 3]}),
    "one dtype": pandas.DataFrame(np.arange(12.0).reshape(4, 3)),
    "bools": pandas.DataFrame(np.eye(4, 3, dtype=bool)),
    "nullable": pandas.DataFrame(
        {
            "a": pandas.array([1, 2, 3, 4], "Int64"),
            "b": pandas.array([True, False, True, True], "boolean"),
            "c": pandas.array([0.5, 1, 2, 3], "Float64"),
        }
    ),
    "int8 and uint64": pandas.DataFrame(
        {"a": np.arange(4, dtype="int8"), "b": np.arange(4, dtype="uint64"), "c": np.float32([0.1, 1, 2, 3])}
    ),
    "objects": pandas.DataFrame({"a": [True, 1, 2.5, np.int8(3)], "b": [Decimal("0.25")] * 4, "c": [1, 2, 3, 4]}, dtype=object),
    "categories that are numbers": pandas.DataFrame({"a": pandas.Categorical([3, 1, 3, 2]), "b": [0.5, 1, 2, 3], "c": [True] * 4}),
    "sparse columns": pandas.DataFrame({"a": pandas.arrays.SparseArray([0.0, 0, 0, 1]), "b": [1, 2, 3, 4], "c": [1.5] * 4}),
    "polars": polars.DataFrame({"a": [True, False, True, True], "b": [1, 2, 3, -4], "c": [0.5, 1, 2, 3]}),
    "polars of one dtype": polars.DataFrame(np.arange(12.0).reshape(4, 3)),
    "polars bools": polars.DataFrame(np.eye(4, 3, dtype=bool)),
    "polars decimals": polars.DataFrame({"a": [Decimal("0.25")] * 4, "b": [1, 2, 3, 4], "c": [True, False, True, True]}),
}


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns:UserWarning")  # which scikit-learn gives
@pytest.mark.parametrize("name", FRAMES)
def test_frames_as_scikit_learn_takes_them(name):
    frame = FRAMES[name]
    numbers = check_array(frame, dtype=np.float64)
    assert np.array_equal(EYE.predict(AS_IS, frame), numbers)
    assert fastgd.train(NET, frame, Y, 2, rng=0, kernel="matrix") == fastgd.train(NET, numbers, Y, 2, rng=0, kernel="matrix")
    assert fastgd.train_many(NET, frame, Y, 2, rng=0, members=2, kernel="matrix") == fastgd.train_many(
        NET, numbers, Y, 2, rng=0, members=2, kernel="matrix"
    )


def test_a_name_may_come_twice():
    twice = pandas.DataFrame({"a": [True, False], "b": [1, 2], "c": [2.5, 3]}).set_axis(["a", "a", "b"], axis=1)
    assert np.array_equal(EYE.predict(AS_IS, twice), [[1, 1, 2.5], [0, 2, 3]])


TARGETS = {
    "pandas": pandas.Series([0, 1, 1, 0]),
    "pandas bool": pandas.Series([False, True, True, False]),
    "Int64": pandas.Series([0, 1, 1, 0], dtype="Int64"),
    "boolean": pandas.Series([False, True, True, False], dtype="boolean"),
    "array": pandas.array([0, 1, 1, 0], "Int64"),
    "objects": pandas.Series([0, True, 1.0, False], dtype=object),
    "index": pandas.Index([0, 1, 1, 0]),
    "polars": polars.Series([0, 1, 1, 0]),
    "polars bool": polars.Series([False, True, True, False]),
    "one column": polars.DataFrame({"y": [0, 1, 1, 0]}),
}


@pytest.mark.parametrize("name", TARGETS)
def test_series_as_targets_weights_and_validation(name):
    given, X, options = TARGETS[name], np.eye(4, 3), {"rng": 0, "kernel": "matrix"}
    expected = fastgd.train(NET, X, Y, 3, sample_weight=Y, validation=(X, Y), **options)
    weights = Y if isinstance(given, polars.DataFrame) else given
    assert fastgd.train(NET, X, given, 3, sample_weight=weights, validation=(X, given), **options) == expected


def pandas_with(**columns):
    return pandas.DataFrame({"a": [1.0, 2], "b": [3, 4], "c": [True, False]} | columns)


def polars_with(**columns):
    return polars.DataFrame({"a": [1.0, 2], "b": [3, 4], "c": [True, False]} | columns)


class Tensor:
    """As PyTorch's, on its way to a gradient or on another device."""

    def __init__(self, error, requires_grad=False):
        self.error, self.requires_grad = error, requires_grad

    def __array__(self, dtype=None, copy=None):
        raise self.error


REFUSED = {
    "missing Int64": (pandas_with(b=pandas.array([1, None], "Int64")), V, ["finite", "nan", "index 1, 1", "column 'b'"]),
    "missing boolean": (pandas_with(a=pandas.array([None, True], "boolean")), V, ["finite", "nan", "index 0, 0", "column 'a'"]),
    "missing Float64": (pandas_with(c=pandas.array([None, 1.5], "Float64")), V, ["finite", "nan", "index 0, 2", "column 'c'"]),
    "missing object": (pandas_with(c=pandas.Series([None, 1.5], dtype=object)), V, ["finite", "nan", "index 0, 2", "column 'c'"]),
    "missing in polars": (polars_with(c=[True, None]), V, ["finite", "nan", "index 1, 2", "column 'c'"]),
    "infinite": (polars_with(a=[1.0, np.inf]), V, ["finite", "inf", "index 1, 0", "column 'a'"]),
    "text": (pandas_with(b=["1", "2"]), T, ["column 'b'", ".astype(float)"]),
    "text in objects": (pandas_with(b=pandas.Series([1, "2"], dtype=object)), T, ["column 'b'", "object", ".astype(float)"]),
    "category": (pandas_with(b=pandas.Categorical(["x", "y"])), T, ["column 'b'", "category", "0 and 1 for each class"]),
    "dates": (pandas_with(b=pandas.to_datetime(["2020-01-01", "2020-01-02"])), T, ["column 'b'", "datetime64", "timedelta64"]),
    "complex": (pandas_with(b=[1j, 2]), T, ["column 'b'", "complex128", ".real"]),
    "text in polars": (polars_with(b=["1", "2"]), T, ["column 'b'", "String", ".cast(float)"]),
    "dates in polars": (polars_with(b=[datetime.date(2020, 1, 1)] * 2), T, ["column 'b'", "Date", ".dt.total_days()"]),
    "durations in polars": (polars_with(b=[datetime.timedelta(1)] * 2), T, ["column 'b'", "Duration", ".dt.total_seconds()"]),
    "lists in polars": (polars_with(b=[[1], [2]]), T, ["column 'b'", "List"]),
    "series of text": (pandas.Series(["a", "b"], name="kind"), T, ["column 'kind'", ".astype(float)"]),
    "lazy": (polars_with().lazy(), T, ["LazyFrame", ".collect()"]),
    "csr": (scipy.sparse.csr_matrix(np.eye(3)), T, ["csr_matrix", ".toarray()"]),
    "coo": (scipy.sparse.coo_array(np.eye(3)), T, ["coo_array", ".toarray()"]),
    "Spark": (SimpleNamespace(toPandas=lambda: None, collect=lambda: None), T, [".toPandas()"]),
    "delayed": (SimpleNamespace(compute=lambda: None), T, [".compute()"]),
    "generator": (([i, 0, 1] for i in range(4)), T, ["generator", "list(...)"]),
    "map": (map(float, range(4)), T, ["map", "list(...)"]),
    "set": ({1, 2}, T, ["{1, 2}", "list(...)"]),
    "values of a dict": ({"a": [1, 2]}.values(), T, ["dict_values", "list(...)"]),
    "dict": ({"a": [1, 2]}, T, ["'a'", "np.column_stack"]),
    "tensor": (Tensor(RuntimeError("no"), requires_grad=True), T, ["Tensor", ".detach().numpy()"]),
    "tensors": ([Tensor(RuntimeError("requires grad.\nUse detach()"))], T, ["Tensor", "requires grad."]),
    "tensor elsewhere": (Tensor(TypeError("can't convert cuda:0; use Tensor.cpu()")), T, ["Tensor.cpu()"]),
    "objects": (np.eye(3).astype(object), T, ["dtype object", ".astype(float)"]),
    "decimals": ([[Decimal(1)] * 3], T, ["dtype object", ".astype(float)"]),
    "strings": ([["1", "2", "3"]], T, ["<U1", ".astype(float)"]),
    "bytes": (np.eye(3).astype("S3"), T, ["S3", ".astype(float)"]),
    "moments": (np.zeros((2, 3), "datetime64[s]"), T, ["datetime64", "timedelta64(1, 'D')"]),
    "times": (np.zeros((2, 3), "timedelta64[s]"), T, ["timedelta64", "timedelta64(1, 's')"]),
    "records": (np.zeros(3, [("a", float), ("b", float)]), T, ["structured_to_unstructured"]),
    "path": ("data.csv", T, ["'data.csv'", "read_table"]),
    "network": (NET, T, ["MLP(3, 2, 1"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_to_call(name, no_compiled_code):
    given, error, words = REFUSED[name]
    params = np.zeros(NET.n_params)
    assert_refused(lambda: NET.predict(params, given), error, ["X", *words])
    if name not in ("generator", "map"):  # which have been read
        assert_refused(lambda: fastgd.train_many(NET, given, Y, 1, members=2), error, ["X", *words])
        assert_refused(lambda: fastgd.train(NET, np.eye(3), np.zeros(3), 1, sample_weight=given), error, ["sample_weight", *words])
        assert_refused(lambda: fastgd.train(NET, np.eye(3), np.zeros(3), 1, validation=(given, Y)), error, ["validation: X", *words])


@pytest.mark.parametrize("library", [pandas, polars])
def test_what_is_told_to_call_makes_numbers(library):
    dates = library.Series([datetime.datetime(2020, 1, day) for day in (1, 2, 4)])
    columns = {"text": library.Series(["0", "1", "3"]), "dates": dates, "times": dates - dates.min()}
    for name, times in {"text": 1, "dates": 1, "times": 86400}.items():
        with pytest.raises(TypeError) as refused:
            NET.check_params(columns[name])
        told = str(refused.value).rpartition(": ")[2]
        call = told[: told.index(" reads" if name == "text" else " counts")]
        given = eval(call if name == "dates" else f"column{call}", {"np": np, "float": float, "column": columns[name], "dates": dates})
        assert np.array_equal(EYE.predict(AS_IS, np.outer(given, np.ones(3)))[:, 0], [0, times, 3 * times])


def test_neither_library_is_imported(python):
    program = (
        "import sys, fastgd; fastgd.train(fastgd.MLP(2, 1), *fastgd.data.gate('and'), 1); print({'pandas', 'polars'} & {*sys.modules})"
    )
    assert python(program) == "set()\n"
