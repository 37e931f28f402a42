"""The genuine trunk of VGG-16: its thirteen 3x3 layers of 2014, out of an ONNX file."""

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.network.random_weights import FULL, weight_shapes

# Mean colour of the training pictures of VGG-16 (Simonyan & Zisserman 2014), RGB. The network's input
# is centred by the mean of the three, as in 2015.
AVERAGE_COLOUR = 123.68, 116.779, 103.939

# Entries of the weights of 2014, as Keras's file has them: the first filter's plane for blue, and the first biases.
FIRST_PLANE = (0.42947057, 0.373467, -0.061360113, 0.27476987, 0.038680777, -0.36722335, -0.05746817, -0.26224968,
               -0.35009676)
FIRST_BIASES = 0.73429835, 0.093403675, 0.06775674, 0.8862966, 0.25994542


def read(path):
    """Read the convolutions of an ONNX file that has those of VGG-16, first layer for BGR, in front.

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
    if not (np.allclose(weights[0][0, 0].ravel(), FIRST_PLANE, atol=1e-6)
            and np.allclose(biases[0][:5], FIRST_BIASES, atol=1e-6)):
        raise InputError(f"{path}: has VGG-16's shapes but not its weights of 2014")
    return (np.ascontiguousarray(weights[0][:, ::-1]), *weights[1:]), biases
