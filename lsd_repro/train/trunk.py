"""The genuine trunk of VGG-16: its thirteen 3x3 layers of 2014, from an ONNX file."""

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.network.known import recognised
from lsd_repro.network.layers import FULL
from lsd_repro.network.random_weights import weight_shapes


def read(path: str) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Read VGG-16's convolutions from an ONNX file that begins with them, its first layer for BGR.

    Parameters
    ----------
    path : str
        Whatever follows the thirteen layers is left out.

    Returns
    -------
    weights, biases : tuple of 13 float32 arrays
        (out, in, 3, 3), the first layer for RGB, and (out,).

    Raises
    ------
    InputError
        If they are not VGG-16's of 2014, by shape or by their known entries.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    arrays = {array.name: array for array in graph.initializer}
    found = [[numpy_helper.to_array(arrays[name]) for name in node.input[1:]]
             for node in graph.node if node.op_type == "Conv"]
    shapes = weight_shapes(**FULL)[:13]
    if [weight.shape for weight, _ in found] != shapes:
        raise InputError(f"{path}: its convolutions are not the thirteen of VGG-16")
    weights, biases = zip(*found)
    if recognised(weights[0], biases[0], depth=16) != "BGR":
        raise InputError(f"{path}: has VGG-16's shapes but not its weights of 2014")
    return (np.ascontiguousarray(weights[0][:, ::-1]), *weights[1:]), biases
