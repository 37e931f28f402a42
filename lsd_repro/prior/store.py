"""Priors on disk: one ``.npz`` file, or the four ``.npy`` files of 2015.

==============================  =================  ====================================
field                           shape              content
==============================  =================  ====================================
``format_version``              ()                 `FORMAT_VERSION`
``student_prior_filters``       (p, p, 3, 3p^2)    float32, norms ascending
``student_prior_mean``          (3p^2,)            float32
``student_degrees_of_freedom``  ()                 float64, NaN where unknown
``prior_filters``               (p, p, 3, 3p^2)    float32, norms descending (Gaussian)
``prior_mean``                  (3p^2,)            float32 (Gaussian)
``provenance``                  ()                 text: from what, and how, it was fitted
==============================  =================  ====================================

p is the side of a patch, 8 in 2015.  For grey patches there is 1 instead of 3.  A file holds one kind or both.  The names
of filters and means are those of 2015's files.  Files without version, degrees of freedom or provenance load too, and other
fields are ignored, so a golden file can serve as a prior.
"""

from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.material import arrays
from lsd_repro.material.files import PathLike, write_arrays

FORMAT_VERSION = 1
# The first words of a kind's field names, as 2015 had them.
FIELD_PREFIX = {"student": "student_prior", "gaussian": "prior"}
# Norms next to each other may swap within the rounding of float32.
SORT_TOLERANCE = 1e-5


class PatchPrior(NamedTuple):
    """Whitening filters of square patches, RGB ones of 8x8 in 2015.

    Attributes
    ----------
    kind : {"student", "gaussian"}
    filters : float32 array, shape (8, 8, 3, 192)
        Rows, columns, channels, components; (8, 8, 1, 64) for grey patches.  2015 program: transposed to
        (192, 3, 8, 8) and applied by convolution, so they are stored flipped in
        both spatial directions.
    mean : float32 array, shape (192,)
        Response of the filters to the mean patch (minus 128).
    degrees_of_freedom : float or None
        nu of the joint Student-t; None if Gaussian or unknown (2015's files).
    """

    kind: str
    filters: Floats
    mean: Floats
    degrees_of_freedom: Optional[float] = None

    @property
    def patch_size(self) -> int:
        """Side of a patch, in pixels."""
        return self.filters.shape[0]

    @property
    def channels(self) -> int:
        """3 for RGB patches, 1 for grey ones."""
        return self.filters.shape[2]


def save(path: PathLike, student: Optional[PatchPrior], gaussian: Optional[PatchPrior], provenance: str) -> None:
    """Write priors as one ``.npz`` file, whole or not at all.

    Parameters
    ----------
    path : str or path
    student, gaussian : PatchPrior or None
        At least one of them.
    provenance : str
        From what, and how, they were fitted.

    Raises
    ------
    InputError
        If a prior is not one that `load` accepts, or `path` can't be written.
    """
    path = Path(path)
    fields = {"format_version": np.int64(FORMAT_VERSION), "provenance": np.str_(provenance)}
    for kind, prior in (("student", student), ("gaussian", gaussian)):
        if prior is None:
            continue
        prefix = FIELD_PREFIX[kind]
        nu = prior.degrees_of_freedom
        prior = _checked(path, kind, prior.filters, prior.mean, None if nu is None else float(nu),
                         prior.channels)
        fields[prefix + "_filters"] = prior.filters
        fields[prefix + "_mean"] = prior.mean
        if kind == "student":
            fields["student_degrees_of_freedom"] = np.float64(np.nan if nu is None else nu)
    if student is None and gaussian is None:
        raise InputError(f"{path}: nothing to save, neither a student nor a gaussian prior")

    write_arrays(path, **fields)


def load(path: PathLike, channels: int = 3) -> dict[str, PatchPrior]:
    """Read priors from an ``.npz`` file or from a folder with 2015's ``.npy`` files.

    Parameters
    ----------
    path : str or path
        A file written by `save`, any ``.npz`` with the same field names, or a folder
        with ``student_prior_filters.npy``, ``student_prior_mean.npy``,
        ``prior_filters.npy``, ``prior_mean.npy`` (either pair may be absent).
    channels : {3, 1}
        Of RGB patches, or grey ones.

    Returns
    -------
    dict
        From "student" and/or "gaussian" to `PatchPrior`.

    Raises
    ------
    InputError
        If `path` is no such file or a field of it is missing or wrong.
    """
    path = Path(path)
    fields = _folder_fields(path) if path.is_dir() else _file_fields(path)
    version = fields.get("format_version", np.int64(FORMAT_VERSION))
    if version.shape != () or version != FORMAT_VERSION:
        raise InputError(f"{path}: format_version is {version}, this program reads "
                         f"{FORMAT_VERSION}; fit the prior again or update the program")
    priors = {}
    for kind, prefix in FIELD_PREFIX.items():
        names = prefix + "_filters", prefix + "_mean"
        missing = [name for name in names if name not in fields]
        if len(missing) == 2:
            continue
        if missing:
            raise InputError(f"{path}: {missing[0]} is missing; filters and mean come "
                             "in pairs, so take both from the same fit")
        nu = fields.get("student_degrees_of_freedom") if kind == "student" else None
        priors[kind] = _checked(path, kind, fields[names[0]], fields[names[1]],
                                None if nu is None or _is_unknown(nu) else nu, channels)
    if not priors:
        raise InputError(f"{path}: holds no prior, neither student_prior_filters nor "
                         "prior_filters; fit one with 'lsd-repro prior fit'")
    return priors


def load_kind(path: PathLike, kind: str) -> PatchPrior:
    """The prior of one kind from a file or folder; see `load`.

    Raises
    ------
    InputError
        Also if there is none of that kind.
    """
    priors = load(path)
    if kind not in priors:
        raise InputError(f"{path}: holds no {kind} prior, only {', '.join(priors)}")
    return priors[kind]


def read_provenance(path: PathLike) -> str:
    """The text that `save` was given; empty for 2015's files and others without one."""
    path = Path(path)
    fields = {} if path.is_dir() else _file_fields(path)
    return str(fields.get("provenance", ""))


def _file_fields(path):
    """The fields of ours in an ``.npz`` file; others stay unread."""
    known = {"format_version", "provenance", "student_degrees_of_freedom"}
    known.update(name for name, _ in _pair_names())
    if not path.exists():
        raise InputError(f"{path}: no such file; fit a prior with 'lsd-repro prior fit'")
    try:
        return arrays.read_npz(path, known)
    except arrays.UNREADABLE as error:
        raise InputError(f"{path}: not a readable .npz file ({arrays.reason(error)}); give a file from "
                         "'lsd-repro prior fit' or a folder with 2015's .npy files") from error


def _folder_fields(folder):
    """The fields in a folder that has 2015's ``.npy`` files."""
    fields = {}
    for name, file in ((name, folder / file) for name, file in _pair_names()):
        if not file.exists():
            continue
        try:
            fields[name] = arrays.read_npy(file)
        except arrays.UNREADABLE as error:
            raise InputError(f"{file}: not a readable .npy file ({arrays.reason(error)}); "
                             "fetch it again") from error
    return fields


def _pair_names():
    """Field name and 2015's file name of each filter bank and mean."""
    for prefix in FIELD_PREFIX.values():
        for part in ("_filters", "_mean"):
            yield prefix + part, prefix + part + ".npy"


def _is_unknown(nu):
    return np.shape(nu) == () and np.issubdtype(nu.dtype, np.floating) and np.isnan(nu)


def _checked(path, kind, filters, mean, nu, channels):
    """A PatchPrior of float32 arrays, or an InputError that names file and field."""
    prefix = FIELD_PREFIX[kind]
    filters, mean = np.asarray(filters), np.asarray(mean)
    size = filters.shape[0] if filters.ndim else 0
    if not size:
        raise InputError(f"{path}: {prefix}_filters is empty, of shape {filters.shape}; fit the prior anew")
    components = channels * size ** 2
    other = 4 - channels
    if filters.shape == (size, size, other, other * size ** 2):
        names = {1: "grey", 3: "RGB"}
        raise InputError(f"{path}: {prefix}_filters are for {names[other]} patches, {names[channels]} ones are needed here; "
                         f"fit a prior of such patches")
    filters = _array(path, prefix + "_filters", filters, (size, size, channels, components))
    mean = _array(path, prefix + "_mean", mean, (components,))
    if nu is not None:
        nu = float(_array(path, "student_degrees_of_freedom", nu, (), np.float64))
        if nu <= 0:
            raise InputError(f"{path}: student_degrees_of_freedom is {nu}, must be above 0; "
                             "fit the prior again")

    # The Gaussian energy leaves out the last component, so the order has a meaning.
    norms = np.linalg.norm(filters.reshape(components, components).astype(np.float64), axis=0)
    rising = norms if kind == "student" else norms[::-1]
    if np.any(rising[1:] < rising[:-1] * (1 - SORT_TOLERANCE)):
        order = "smallest norm to the largest" if kind == "student" else "largest norm to the smallest"
        raise InputError(f"{path}: {prefix}_filters must go from the {order}; sort the "
                         f"components of filters and mean, or fit the prior again")
    if norms.min() == 0:
        raise InputError(f"{path}: {prefix}_filters has a component that is all zero; "
                         "fit the prior again")
    return PatchPrior(kind, filters, mean, nu)


def _array(path, name, value, shape, dtype=np.float32):
    value = np.asarray(value)
    if not np.issubdtype(value.dtype, np.floating):
        raise InputError(f"{path}: {name} is of type {value.dtype}, expected floating point; "
                         "fit the prior again")
    if value.shape != shape:
        raise InputError(f"{path}: {name} has shape {value.shape}, expected {shape}; give a "
                         "prior of square patches, with as many filters as a patch has entries")
    value = value.astype(dtype)
    if not np.isfinite(value).all():
        raise InputError(f"{path}: {name} has entries that are not finite; "
                         "fit the prior again or fetch the file again")
    return value
