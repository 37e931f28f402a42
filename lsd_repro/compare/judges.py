"""What a prior and a network say of a frame, compiled: what `lsd_repro.compare.statistics.measure` is given.

This is where Theano comes in; the statistics themselves know nothing of it.
"""

from lsd_repro.dream.step import compile_energies, to_graph
from lsd_repro.network import vgg16
from lsd_repro.prior.energy import patch_energy
from lsd_repro.stack import T, theano


def energies(prior, scales):
    """Compile the energy of a prior at each scale; see `lsd_repro.dream.step.compile_energies`."""
    return compile_energies(patch_energy(prior), scales)


def logits(network):
    """Compile the class logits of a network.

    Parameters
    ----------
    network : NetworkWeights

    Returns
    -------
    function
        From a picture (height, width, 3) in 0..255 to an array (classes, rows, columns).
    """
    with theano.config.change_flags(floatX="float32"):
        x = T.TensorType("float32", (True, False, False, False))("x")
        layers = vgg16.build(network)
        function = theano.function([x], vgg16.class_logits(layers, x, network.mean)[0],
                                   givens=vgg16.fixed_filters(layers))
    return lambda picture: function(to_graph(picture, "float32"))
