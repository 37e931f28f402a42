"""A file of weights in any format -> `NetworkWeights`, and what was found."""

import contextlib
import zipfile

import numpy as np

from lsd_repro.convert import caffe, keras, mat73, npz, torchvision
from lsd_repro.convert.colours import fold
from lsd_repro.convert.stored import KINDS, quoted, read_layers
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.material.regular import check_regular
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.network.known import AVERAGE_COLOUR, OXFORD, recognised
from lsd_repro.network.matfile import AGAIN, naming
from lsd_repro.network.weights import NetworkWeights, check

NO_PICKLES = "which can run code when it is loaded, so it is not opened"


def read(path: PathLike) -> tuple[NetworkWeights, list[str]]:
    """Read a VGG-16 or VGG-19 with its classes from a file that is no .mat of an older version.

    Parameters
    ----------
    path : str or path-like
        Keras's .h5, Caffe's .caffemodel, numpy's .npz (as Frossard's), PyTorch's .pth or
        .safetensors with torchvision's names, or MatConvNet's .mat as MATLAB 7.3 saves it; told apart
        by what is in it.  A .h5, .pth or .safetensors may hold more than the network.

    Returns
    -------
    network : NetworkWeights
        For RGB in grey levels minus one scalar, as the 2015 program feeds it.
    findings : list of str
        Whose weights these are, and what was changed.

    Raises
    ------
    InputError
        If the file is missing, damaged, of no known format, or no such network; or if the library
        that reads it is missing.
    """
    with naming(path), _no_surprises():
        if _head(path).startswith(b"MATLAB 7.3"):
            network = matconvnet.network_of(mat73.load(path))
            return network, [_whose(network.weights, network.biases)[1]]
        with _opener(path)(path) as stored:
            weights, biases = read_layers(stored)
            return _network(list(weights), list(biases), stored)


def check_library(path: PathLike) -> None:
    """Raise an InputError if the library that a file of this name needs is missing, before it is downloaded."""
    if str(path).endswith(".h5"):
        keras.load_h5py()
    elif str(path).endswith(".pth"):
        torchvision.load_torch()


def _whose(weights, biases):
    """The order of colours if these weights are Oxford's (else None), and whose they are in words."""
    depth, classes, name = len(weights), len(weights[-1]), OXFORD[len(weights)].name
    order = recognised(weights[0], biases[0], depth)
    if not order:
        return order, f"another training of VGG-{depth} and not {name}: 2015's program dreamt with other weights"
    if classes != len(ilsvrc.read()[0]):
        return order, f"the first layer is that of {name}, but its classes are others: trained further"
    return order, f"this is {name}, by the known entries of its first layer"


def _network(weights, biases, stored):
    classes = len(weights[-1])
    wnids, descriptions = ilsvrc.read()
    order, whose = _whose(weights, biases)
    findings = [whose]
    if stored.where:
        findings.append(f"it is the part {quoted(stored.where)} of the file")
    # Oxford's own weights are the same in every file: what they take depends on their entries alone.
    if (order or stored.order) == "BGR":
        weights[0] = np.ascontiguousarray(weights[0][:, ::-1])
        findings.append("conv1_1 took BGR and now takes RGB")
    average_image = np.array(AVERAGE_COLOUR, np.float32)[None, None]
    if not order and stored.normalised:
        weights[0], biases[0], average_image = fold(weights[0], biases[0])
        findings.append("conv1_1 took 0..1, normalised colour by colour, and now takes grey levels minus "
                        f"{average_image[0, 0, 0]:.1f}: exact but for the outermost pixels of its map, where the padding "
                        "now stands for that grey and not for the mean of each colour")
    if classes != len(wnids):
        findings.append(f"it knows {classes} classes and not the {len(wnids)} of ILSVRC 2012: "
                        f"they are called 'class 0' to 'class {classes - 1}'")
        wnids, descriptions = (), tuple(f"class {i}" for i in range(classes))
    network = NetworkWeights(tuple(weights), tuple(biases), average_image, descriptions, wnids)
    check(network, KINDS, AGAIN)
    return network, findings


def _head(path):
    check_regular(path)
    with open(path, "rb") as stream:
        head = stream.read(128)
    if not head:
        raise InputError(f"is empty; {AGAIN}")
    return head


def _opener(path):
    """The context manager that opens a file of the format that this one is in."""
    head = _head(path)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return keras.opened
    if head.startswith(b"PK\x03\x04"):
        return _zip_opener(path)
    if head.startswith(torchvision.LEGACY):
        return torchvision.opened
    if head[8:9] == b"{" and not any(head[5:8]):  # after the header's length in 8 bytes
        return torchvision.opened_safetensors
    if head.startswith(b"MATLAB"):
        raise InputError("is a .mat file already: use it as it is, weights=")
    if head.startswith((b"\x80", b"\x93NUMPY")):
        raise InputError(f"is a pickle, or a .npy, {NO_PICKLES}; {KINDS}")
    return caffe.opened


def _zip_opener(path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith(".npy") for name in names):
        return npz.opened
    if any(name.endswith("/data.pkl") for name in names):
        return torchvision.opened
    if "model.weights.h5" in names:
        raise InputError("is a .keras file: save it from Keras with model.save_weights('vgg.weights.h5')")
    raise InputError("is an archive, but neither numpy's .npz nor PyTorch's .pth")


@contextlib.contextmanager
def _no_surprises():
    """Turn what a library raises at a broken file into an InputError of one line."""
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError("does not fit into memory: a file of 528 MiB needs 1.5 GiB free") from error
    except Exception as error:  # damaged files make libraries raise nearly anything
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot be opened: {error.strerror}") from error
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise InputError(f"can't be read ({reason}); if it should be whole: {AGAIN}") from error
