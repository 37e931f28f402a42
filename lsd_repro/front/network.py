"""`load_network`: the logits that a network has of a picture."""

from functools import cached_property
from typing import Optional

from lsd_repro.front.pictures import checked
from lsd_repro.hints import Floats, Picture
from lsd_repro.material.files import PathLike
from lsd_repro.network.classes import resolve
from lsd_repro.network.receptive import layer_named
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.production.load import read_network
from lsd_repro.step.evaluate import compile_logits


def load_network(weights: Optional[PathLike] = None) -> "Network":
    """Read a network.

    Parameters
    ----------
    weights : path, optional
        ``"small"`` or ``"trunk"``, which ship, or a MatConvNet VGG-16 or VGG-19 .mat file; the default is ``"trunk"``.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If it can't be read.

    Examples
    --------
    >>> import lsd_repro as lsd
    >>> network = lsd.load_network("small")
    >>> network.classes[network.index("pizza")]
    'pizza, pizza pie'
    """
    return Network(read_network(weights))


class Network:
    """A VGG that was read.

    Attributes
    ----------
    weights : NetworkWeights
    """

    def __init__(self, weights: NetworkWeights) -> None:
        self.weights = weights

    def __repr__(self) -> str:
        return f"<Network of {len(self.weights.weights)} layers with weights, {len(self.classes)} classes>"

    @property
    def classes(self) -> tuple[str, ...]:
        """tuple of str: what it says of each class."""
        return self.weights.descriptions

    def index(self, name: str) -> int:
        """The index of the class that a name means; ValueError with names that are near, if none does.

        Examples
        --------
        >>> import lsd_repro as lsd
        >>> network = lsd.load_network("small")
        >>> network.index("king penguin") == network.index("king peng")
        True
        """
        return resolve(name, self.classes)

    def logits(self, picture: Picture) -> Floats:
        """The class logits of a picture, one for each place that the network looks at.

        Parameters
        ----------
        picture : ndarray, shape (height, width, 3)
            RGB in 0..255.

        Returns
        -------
        float32 ndarray, shape (classes, rows, columns)

        Raises
        ------
        InputError
            If the picture is too small for the network.

        Examples
        --------
        >>> import lsd_repro as lsd
        >>> import skimage.data
        >>> network = lsd.load_network("trunk")
        >>> logits = network.logits(skimage.data.chelsea())
        >>> logits.shape
        (1000, 3, 8)
        >>> "cat" in network.classes[logits.mean((1, 2)).argmax()]
        True
        """
        picture = checked(picture)
        layer_named(self.weights, "fc8", *picture.shape[:2])
        return self._logits(picture)

    @cached_property
    def _logits(self):
        return compile_logits(self.weights)
