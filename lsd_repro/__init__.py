"""The 2015 "LSD neural net", reproduced: VGG-16 hallucinates the classes you name.

Weights become a graph, the graph and a patch prior become an objective, the
objective becomes a step, steps become frames, frames become film, and film is
compared with 2015.  The rooms stand in that order: each imports only from itself and
from those above it in this table.

==================  =======================================================
``errors``          what goes wrong for a reason that the user can mend
``hints``           what arrays hold
``program2015``     the constants of the 2015 program
``presets``         programs by name: 2015's and ours
``runtime``         Theano-PyMC and Lasagne 0.1 on today's Python: loaded, mended; compiler, BLAS, GPU
``material``        what ships, what 2015 left (``lsd-repro fetch``), and how files are written
``network``         the .mat weights, the Lasagne graph, the class names
``convert``         the same network from Keras's, Caffe's, numpy's and PyTorch's files
``prior``           patches of photos, fitting a prior, its energy
``ops``             VGG-16's layers and the prior as Ops of our own: speed only
``step``            objective, Adam, the compiled gradient step
``film``            zoom, caption, schedule, the offline stream, files
``chat``            the picking rules of 2015, exported logs, their replay
``production``      what a run is asked for -> what it needs, checked -> the compiled step
``live``            the film as it is dreamt, on a local web page; IRC (extra ``live``)
``atlas``           many dreams at once, on many processes or machines, and a page to browse them (extra ``atlas``)
``figures``         every matplotlib figure, drawn from plain numbers and pictures
``compare``         replay of arrays that the 2015 program computed; priors side by side
``bench``           how fast a step and the film are, beside others (PyTorch: extra ``bench``)
``train``           training of the network that ships (extra ``train``)
``front``           what `import lsd_repro` offers, see below
``cli``             the ``lsd-repro`` command line; what this installation lacks
==================  =======================================================

In Python:

================  =========================================================
`dream`           a film of classes, or of what a layer sees
`load_network`    the logits that a network has of a picture
`load_prior`      what a patch prior says of a picture: energy, gradient, map; samples
`fit_prior`       a prior of your own photos
`replay`          how far all this is from what 2015 computed
`InputError`      what they raise: a ValueError that says what to do
================  =========================================================

They are brought when they are first used: importing this package imports no room, and neither numpy nor Theano.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsd_repro.errors import InputError
    from lsd_repro.front.film import dream
    from lsd_repro.front.network import load_network
    from lsd_repro.front.parity import replay
    from lsd_repro.front.prior import fit_prior, load_prior

__version__ = "0.2.0"
__all__ = ["InputError", "dream", "fit_prior", "load_network", "load_prior", "replay"]

_MODULES = {"InputError": "errors", "dream": "front.film", "load_network": "front.network", "load_prior": "front.prior",
            "fit_prior": "front.prior", "replay": "front.parity"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lsd_repro.runtime.openblas import instruct_openblas

    instruct_openblas()  # before numpy is imported, if it hasn't been
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
