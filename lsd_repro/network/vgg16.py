"""VGG-16 or VGG-19 as a graph of Lasagne layers, fully convolutional, logits out."""

from collections import OrderedDict
from typing import Any

from lsd_repro.errors import InputError
from lsd_repro.network.layers import least_side, map_side, vgg_layers
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.runtime.load import T, TensorVariable, lasagne, runs_on_cpu, theano


class CorrelationLayer(lasagne.layers.Conv2DLayer):
    """Lasagne's convolution layer, computing a cross-correlation with implicit padding.

    Lasagne 0.1's own flips the filters and pads by copying the whole map.

    2015 quirk: unflipped network filters.  Those of the prior are flipped.
    """

    def get_output_for(self, input: TensorVariable, **kwargs) -> TensorVariable:
        return self.nonlinearity(self.response(input))

    def response(self, input: TensorVariable) -> TensorVariable:
        """The layer's map before its nonlinearity."""
        # The spatial size is left open: one layer serves several network scales.
        correlation = T.nnet.conv2d(
            input, self.W, input_shape=self.input_shape[:2] + (None, None),
            filter_shape=self.get_W_shape(), border_mode=self.pad, filter_flip=False)
        return correlation + self.b.dimshuffle("x", 0, "x", "x")


def build(network: NetworkWeights) -> OrderedDict[str, Any]:
    """Build the layers of a VGG-16 or VGG-19 from its weights.

    2015 quirk: logits, not probabilities.

    Parameters
    ----------
    network : NetworkWeights
        From `lsd_repro.network.matconvnet.read`; sets the depth, all widths, the kernel
        size of fc6 and the number of classes.

    Returns
    -------
    OrderedDict of str to lasagne.layers.Layer
        ``input``, ``conv1_1`` ... ``pool5``, ``fc6``, ``fc7``, ``fc8``.  fc8 has no
        nonlinearity: its map holds the class logits.
    """
    layers = OrderedDict(input=lasagne.layers.InputLayer((1, 3, None, None)))
    parameters = zip(network.weights, network.biases)
    last = layers["input"]
    for spec, after in zip(network.layers, network.layers[1:] + (None,)):
        if spec.kind == "conv":
            weight, bias = next(parameters)
            last = CorrelationLayer(
                last, num_filters=spec.channels, filter_size=spec.kernel, pad=spec.pad,
                # Shared as they are, and not copied: they fill half a gigabyte.
                W=theano.shared(lasagne.utils.floatX(weight), borrow=True), b=lasagne.utils.floatX(bias),
                nonlinearity=lasagne.nonlinearities.rectify if after else None, name=spec.name)
        elif spec.kind == "pool":
            last = lasagne.layers.MaxPool2DLayer(last, spec.kernel, spec.stride, name=spec.name)
        else:
            continue  # a ReLU, which Lasagne has as a part of the layer before
        layers[spec.name] = last
    return layers


def class_logits(layers: OrderedDict[str, Any], x: TensorVariable, mean: float) -> TensorVariable:
    """Map of class logits of a picture.

    Parameters
    ----------
    layers : OrderedDict
        From `build`.
    x : symbolic tensor, shape (1, 3, height, width)
        RGB in 0..255.
    mean : float
        The scalar that the network's input is centred by.

    Returns
    -------
    symbolic tensor, shape (1, classes, rows, columns)
        See `map_size`.
    """
    return layer_map(layers, "fc8", x, mean)


def layer_map(layers: OrderedDict[str, Any], name: str, x: TensorVariable, mean: float, rectified: bool = True) -> TensorVariable:
    """Map of any layer.

    Parameters
    ----------
    layers, x, mean
        As for `class_logits`.
    name : str
        A key of `layers`, such as ``conv5_2``.
    rectified : bool
        Whether after the layer's ReLU, if it has one.

    Returns
    -------
    symbolic tensor, shape (1, channels, rows, columns)
    """
    layer = layers[name]
    if rectified or not isinstance(layer, CorrelationLayer):
        return lasagne.layers.get_output(layer, x - mean)
    return layer.response(lasagne.layers.get_output(layer.input_layer, x - mean))


def fixed_filters(layers: OrderedDict[str, Any]) -> dict[TensorVariable, TensorVariable]:
    """The filters of the 3x3 layers as constants, for `theano.function` to put in place of the shared variables.

    What is computed from filters alone is then computed once, when a function is compiled,
    and not at every call; setting the parameters later has no effect on it.

    Parameters
    ----------
    layers : OrderedDict
        From `build`.

    Returns
    -------
    dict of shared variable to constant
        For the parameter ``givens``; empty on a GPU, where nothing is computed from filters alone.
    """
    if not runs_on_cpu():
        return {}
    return {layer.W: T.constant(layer.W.get_value(borrow=True)) for layer in layers.values()
            if isinstance(layer, CorrelationLayer) and layer.filter_size == (3, 3)}


def map_size(height: int, width: int, fc6_size: int) -> tuple[int, int]:
    """Rows and columns of the logit map of a picture.

    2015 quirk: dropped odd rows.  2015 quirk: stills of 896 pixels (fewer are refused here).

    Parameters
    ----------
    height, width : int
        Size of the picture in pixels.
    fc6_size : int
        Kernel size of fc6 (7 in the vlfeat file).

    Returns
    -------
    rows, columns : int

    Raises
    ------
    InputError
        If the picture is too small for a single logit.
    """
    layers = vgg_layers(fc6=fc6_size)  # whose depth and widths don't matter
    rows, columns = map_side(layers, height), map_side(layers, width)
    if min(rows, columns) < 1:
        least = least_side(layers)
        raise InputError(f"a {width}x{height} picture is too small for this network: "
                         f"it needs at least {least}x{least}")
    return rows, columns
