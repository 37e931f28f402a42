"""The layers of VGG-16 as Ops: rectified 3x3 correlations and max-pools, with all cores and few multiplications.

Theano's own spread a layer out in memory (im2col) with one core, and need four
times the multiplications.  Here pictures are (1, height, width, channels), as vector
instructions and matrix products like them; `lsd_repro.ops.fuse_network` exchanges the
axes, and does so only where a chain of these Ops begins and ends.  ``convolution.c``
and ``pooling.c`` say how.
"""

from lsd_repro.ops.compiled import CompiledOp
from lsd_repro.stack import T, theano

PICTURE = (True, False, False, False)
SOURCES = ("multiply.c", "convolution.c")


class WinogradFilters(CompiledOp):
    """What the other Ops need of 3x3 filters (rows, columns, 3, 3).

    Notes
    -----
    Output: (43, panels, columns, lanes).  A panel holds as many rows as a vector
    register has lanes; ``multiply.c`` says why.
    """

    sources = SOURCES
    function = "winograd_filters"

    def make_node(self, weight):
        weight, = self.check([weight], (4,))
        return theano.graph.basic.Apply(self, [weight], [T.TensorType(weight.dtype, [False] * 4)()])


class RectifiedCorrelation(CompiledOp):
    """``max(0, correlation + bias)`` of a picture padded by one pixel.

    Notes
    -----
    Inputs: a picture (1, height, width, columns), filters as `WinogradFilters` gives them
    and bias (rows,).  Output: (1, height, width, rows).
    """

    sources = SOURCES
    function = "rectified_correlation"

    def make_node(self, x, filters, bias):
        inputs = self.check([x, filters, bias], (4, 4, 1))
        return theano.graph.basic.Apply(self, inputs, [T.TensorType(inputs[0].dtype, PICTURE)()])

    def infer_shape(self, fgraph, node, shapes):
        return [(*shapes[0][:3], shapes[2][0])]


class RectifiedCorrelationGradient(CompiledOp):
    """Gradient of `RectifiedCorrelation` with respect to its picture.

    Notes
    -----
    Inputs: upstream gradient and what `RectifiedCorrelation` gave, both (1, height, width,
    rows), and its filters.  Output: (1, height, width, columns).
    """

    sources = SOURCES
    function = "rectified_correlation_gradient"

    def make_node(self, gradient, y, filters):
        inputs = self.check([gradient, y, filters], (4, 4, 4))
        return theano.graph.basic.Apply(self, inputs, [T.TensorType(inputs[0].dtype, PICTURE)()])

    def infer_shape(self, fgraph, node, shapes):
        return [(*shapes[0][:3], shapes[2][2])]


class MaxPool(CompiledOp):
    """Maximum of each 2x2 of a picture (1, height, width, channels); an odd row or column is dropped."""

    sources = ("pooling.c",)
    function = "max_pool"

    def make_node(self, x):
        x, = self.check([x], (4,))
        return theano.graph.basic.Apply(self, [x], [T.TensorType(x.dtype, PICTURE)()])

    def infer_shape(self, fgraph, node, shapes):
        one, height, width, channels = shapes[0]
        return [(one, height // 2, width // 2, channels)]


class MaxPoolGradient(CompiledOp):
    """Gradient of `MaxPool`, from its input, its output, and the upstream gradient."""

    sources = ("pooling.c",)
    function = "max_pool_gradient"

    def make_node(self, x, y, gradient):
        inputs = self.check([x, y, gradient], (4, 4, 4))
        return theano.graph.basic.Apply(self, inputs, [T.TensorType(inputs[0].dtype, PICTURE)()])

    def infer_shape(self, fgraph, node, shapes):
        return [shapes[0]]
