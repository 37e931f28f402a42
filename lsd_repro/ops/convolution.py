"""The layers of VGG-16 as Ops: rectified 3x3 correlations, with the max-pool behind, on all cores, few multiplications.

Theano's own spread a layer out in memory (im2col) with one core, and need four
times the multiplications.  Here pictures are (1, height, width, channels), as vector
instructions and matrix products like them; `lsd_repro.ops.fuse_network` exchanges the
axes, and does so only where a chain of these Ops begins and ends.  ``convolution.hpp``
and ``winograd.hpp`` say how.
"""

from collections.abc import Sequence
from typing import Any

from lsd_repro.ops.compiled import CompiledOp
from lsd_repro.runtime.load import T, TensorVariable, theano

PICTURE = (True, False, False, False)
SOURCES = ("multiply.hpp", "winograd.hpp", "convolution.hpp")


class WinogradFilters(CompiledOp):
    """What the other Ops need of 3x3 filters (rows, columns, 3, 3).

    Notes
    -----
    Output: (43, panels, columns, lanes).  A panel holds as many rows as a vector
    register has lanes; ``multiply.hpp`` says why.  How many that is the compiler knows, not
    Python, so this Op has no ``infer_shape``: Theano computes the output to see its shape.
    """

    sources = SOURCES
    function = "winograd_filters"

    def make_node(self, weight: TensorVariable) -> Any:
        weight, = self.check([weight], (4,))
        return theano.graph.basic.Apply(self, [weight], [T.TensorType(weight.dtype, [False] * 4)()])

    def L_op(self, inputs: Sequence[TensorVariable], outputs: Sequence[TensorVariable],
             output_gradients: Sequence[TensorVariable]) -> list[TensorVariable]:
        return [self.no_gradient(inputs, 0, "with respect to weights")]


class LayerOp(CompiledOp):
    """A layer, or its gradient.

    Parameters
    ----------
    window : {1, 2}
        2 for a layer with a max-pool by 2x2 behind, which drops an odd last row or column.
    """

    __props__ = ("window",)
    sources = SOURCES

    def __init__(self, window: int = 1) -> None:
        if window not in (1, 2):
            raise ValueError(f"window must be 1 or 2, not {window!r}")
        self.window = window

    @property
    def arguments(self) -> tuple[str]:
        return str(self.window),


class RectifiedCorrelation(LayerOp):
    """``max(0, correlation + bias)`` of a picture padded by one pixel, and the largest of each `window` of it.

    Notes
    -----
    Inputs: a picture (1, height, width, columns), filters as `WinogradFilters` gives them
    and bias (rows,).  Outputs: (1, height / window, width / window, rows), and what the gradient
    is to know of it: for each 4x4 pixels an integer of 16 bits, ``convolution.hpp`` says which.
    """

    function = "rectified_correlation"

    def make_node(self, x: TensorVariable, filters: TensorVariable, bias: TensorVariable) -> Any:
        inputs = self.check([x, filters, bias], (4, 4, 1))
        dtype = inputs[0].dtype
        outputs = [T.TensorType(dtype, PICTURE)(), T.TensorType(dtype.replace("float", "int"), PICTURE)()]
        return theano.graph.basic.Apply(self, inputs, outputs)

    def infer_shape(self, fgraph: Any, node: Any, shapes: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        (one, height, width, _), _, (rows,) = shapes
        return [(one, height // self.window, width // self.window, rows),
                (one, (height + 3) // 4, (width + 3) // 4, rows)]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        return [[True, False]] * 3  # not of the bits

    def L_op(self, inputs: Sequence[TensorVariable], outputs: Sequence[TensorVariable],
             output_gradients: Sequence[TensorVariable]) -> list[TensorVariable]:
        x, filters, _ = inputs
        gradient = RectifiedCorrelationGradient(self.window)(output_gradients[0], outputs[1], filters, x.shape[1:3])
        return [gradient, *(self.no_gradient(inputs, i, "with respect to weights and biases") for i in (1, 2))]


class RectifiedCorrelationGradient(LayerOp):
    """Gradient of `RectifiedCorrelation` with respect to its picture.

    Notes
    -----
    Inputs: the upstream gradient, the second output of `RectifiedCorrelation`, its filters, and height and
    width of its picture.  Output: (1, height, width, columns).
    """

    function = "rectified_correlation_gradient"

    def make_node(self, gradient: TensorVariable, bits: TensorVariable, filters: TensorVariable,
                  size: TensorVariable) -> Any:
        gradient, filters = self.check([gradient, filters], (4, 4))
        bits, size = T.as_tensor_variable(bits), T.as_tensor_variable(size)
        dtype = gradient.dtype
        if (bits.dtype, bits.ndim, size.dtype, size.ndim) != (dtype.replace("float", "int"), 4, "int64", 1):
            raise TypeError(f"{self} needs the bits of a layer of {dtype} and a size, got {bits.type} and {size.type}")
        inputs = [gradient, bits, filters, size]
        return theano.graph.basic.Apply(self, inputs, [T.TensorType(dtype, PICTURE)()])

    def infer_shape(self, fgraph: Any, node: Any, shapes: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        size = node.inputs[3]
        return [(shapes[0][0], size[0], size[1], shapes[2][2])]

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        return [[True], [False], [True], [False]]

    def L_op(self, inputs: Sequence[TensorVariable], outputs: Sequence[TensorVariable],
             output_gradients: Sequence[TensorVariable]) -> list[TensorVariable]:
        unconnected = theano.gradient.DisconnectedType()
        return [self.no_gradient(inputs, 0, "second derivatives"), unconnected(),
                self.no_gradient(inputs, 2, "second derivatives"), unconnected()]
