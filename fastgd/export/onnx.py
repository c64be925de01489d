"""A network as a model of ONNX, which takes and gives what a table's columns hold."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from fastgd.arguments.choices import check_name
from fastgd.export.exported import Exported
from fastgd.export.onnx_graph import OPSET, Graph
from fastgd.names import DTYPES
from fastgd.system.files import replace_file

_IR = 7  # of the format itself, which goes with OPSET


def to_onnx(of: Exported, path: str | os.PathLike[str], dtype: str) -> None:
    """Write the model to `path`, whole or not at all.

    Raises
    ------
    ImportError
        If onnx is not installed.
    ValueError, TypeError
        If the dtype is none of fastgd.
    OSError
        If the file can't be written.
    """
    kind = np.dtype(check_name("dtype", dtype, DTYPES))
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise ImportError("to_onnx needs onnx: pip install 'fastgd[onnx]'") from None
    model = _model(onnx, of, kind)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    replace_file(path, lambda file: file.write(data))


def _model(onnx: Any, of: Exported, dtype: np.dtype[Any]) -> Any:
    graph, helper, widths = Graph(onnx, dtype), onnx.helper, of.net.widths
    x = "X"
    if of.input_scaling is not None:
        x = graph.scaled(x, *of.input_scaling)
    for l, (layer, pair) in enumerate(zip(of.net.layers, of.layers, strict=True), start=1):
        x = graph.layer(l, layer, *pair, x)
    if of.target_scaling is not None:
        x = graph.scaled_back(x, *of.target_scaling)
    if of.classes is None:
        outputs = [(graph.apply("Identity", x, name="Y"), graph.kind, ["n", widths[-1]])]
    else:
        outputs = _labelled(graph, of.classes, of.net.activations[-1], widths[-1], x)
    made = helper.make_graph(
        graph.nodes,
        "network",
        [helper.make_tensor_value_info("X", graph.kind, ["n", widths[0]])],
        [helper.make_tensor_value_info(*output) for output in outputs],
        initializer=list(graph.constants.values()),
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=_IR, producer_name="fastgd")
    helper.set_model_props(model, _facts(of))
    return model


def _labelled(
    graph: Graph, classes: tuple[str | int, ...], activation: str, outputs: int, a: str
) -> list[tuple[str, int, list[Any]]]:
    """Of classes: `label` (n,) and `probabilities` (n, classes), as converters of scikit-learn's
    models call them; `scores`, the outputs, where they are no probabilities.
    """
    kinds = graph.onnx.TensorProto
    if outputs == 1:
        is_under = graph.apply("Less", a, graph.number(0.5))
        chosen = graph.apply("Cast", graph.apply("Not", is_under), to=int(kinds.INT64))
        flat = graph.constant("flat", np.array([-1], np.int64))
        chosen = graph.apply("Reshape", chosen, flat)
    else:
        chosen = graph.apply("ArgMax", a, axis=1, keepdims=0)
    are_whole = all(isinstance(label, int) for label in classes)
    labels = np.array(classes, np.int64 if are_whole else object)
    known = graph.constant("labels", labels)
    graph.apply("Gather", known, chosen, name="label", axis=0)
    kind = int(kinds.INT64 if are_whole else kinds.STRING)
    name, width = "scores", outputs
    if activation in ("sigmoid", "softmax"):
        name, width = "probabilities", len(classes)
        if outputs == 1:
            other = graph.apply("Sub", graph.number(1.0), a)
            a = graph.apply("Concat", other, a, axis=1)
    graph.apply("Identity", a, name=name)
    return [("label", kind, ["n"]), (name, graph.kind, ["n", width])]


def _facts(of: Exported) -> dict[str, str]:
    """What stands beside the graph."""
    facts = {"network": repr(of.net)}
    if of.table is not None:
        facts |= {"inputs": ", ".join(of.table.inputs), "targets": ", ".join(of.table.targets)}
    return facts
