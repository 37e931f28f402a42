"""`load_prior` and `fit_prior`: energies of pictures, their gradients, and pictures that a prior draws."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Optional

import numpy as np

from lsd_repro.front.pictures import checked
from lsd_repro.hints import Floats, Picture
from lsd_repro.material import shipped
from lsd_repro.material.files import PathLike
from lsd_repro.prior import fit, store
from lsd_repro.prior.energy import check_scales, multiscale, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.production import values
from lsd_repro.program2015 import PATCH_SIZE, STREAM
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_energies, compile_energy_map, compile_gradient
from lsd_repro.step.sampling import sample_picture

SCALES = STREAM.prior_scales


def load_prior(path: Optional[PathLike] = None, kind: str = "student") -> "Prior":
    """Read a patch prior.

    Parameters
    ----------
    path : path, optional
        A prior .npz, or a folder of 2015's .npy files; default: the one that ships.
    kind : {"student", "gaussian"}

    Returns
    -------
    Prior

    Raises
    ------
    InputError
        If it can't be read, or has none of that kind.

    Examples
    --------
    >>> import lsd_repro as lsd
    >>> lsd.load_prior()
    <Prior: student, 192 filters of 8x8>
    """
    return Prior(store.load_kind(path or shipped.path(shipped.PRIORS), values.one_of(fit.KINDS)(kind)))


def fit_prior(photos: PathLike, kind: str = "student", patches: int = 200_000, patch: int = PATCH_SIZE, seed: int = 0,
              progress: bool = True) -> "Prior":
    """Fit a prior to the patches of a folder of photos, as ``lsd-repro prior fit`` does.

    Parameters
    ----------
    photos : path
        Folder of JPEG or PNG photos.
    kind : {"student", "gaussian"}
    patches : int
        How many to draw.
    patch : int
        Side of a patch in pixels.
    seed : int
    progress : bool
        Whether to show how far it is.

    Returns
    -------
    Prior

    Raises
    ------
    InputError
        If there are too few photos or patches, or none can be read.

    Examples
    --------
    >>> import lsd_repro as lsd
    >>> prior = lsd.fit_prior("photos/", "gaussian", patches=1000, patch=4, progress=False)
    >>> prior
    <Prior: gaussian, 48 filters of 4x4>
    >>> prior.save("my-priors.npz")
    >>> lsd.load_prior("my-priors.npz", "gaussian")
    <Prior: gaussian, 48 filters of 4x4>
    """
    kinds = [values.one_of(fit.KINDS)(kind)]
    priors, provenance, _ = fitted(photos, values.whole(1)(patches), seed, kinds, values.whole(2)(patch), 3, progress)
    return Prior(priors[kind], provenance)


def fitted(folder: PathLike, count: int, seed: int, kinds: Sequence[str], patch_size: int, channels: int,
           progress: bool = True) -> tuple[dict[str, PatchPrior], str, list[str]]:
    """`lsd_repro.prior.fit.fit_folder`, showing how far it is."""
    quiet = not progress
    with tqdm(desc="photos", unit="photo", disable=quiet) as photos, \
            tqdm(desc="EM", unit="iteration", disable=quiet or "student" not in kinds) as em:
        def on_photo(seen, total):
            photos.total = total
            photos.update(seen + 1 - photos.n)

        def on_iteration(_, value, nu):
            em.set_postfix_str(f"log-likelihood {value:.4f} nats per patch, nu {nu:.4f}")
            em.update()

        return fit.fit_folder(folder, count, seed, kinds, patch_size, on_photo, on_iteration, channels)


class Prior:
    """A patch prior, and what it says of pictures, (height, width, 3) arrays in 0..255.

    Attributes
    ----------
    prior : PatchPrior
        Its filters and mean.
    provenance : str or None
        From what it was fitted, if it was fitted here.
    """

    def __init__(self, prior: PatchPrior, provenance: Optional[str] = None) -> None:
        self.prior, self.provenance = prior, provenance
        energy = patch_energy(prior)
        self._energies = lru_cache(lambda scales: compile_energies(energy, scales))
        self._gradient = lru_cache(lambda scales: compile_gradient(multiscale(energy, scales)))
        self._map = lru_cache(lambda: compile_energy_map(prior))

    def __repr__(self) -> str:
        side, count = self.prior.patch_size, self.prior.filters.shape[-1]
        return f"<Prior: {self.prior.kind}, {count} filters of {side}x{side}>"

    def energy(self, picture: Picture, scales: Sequence[int] = SCALES) -> Floats:
        """The mean energy of a picture, pooled by each of several factors.

        Parameters
        ----------
        picture : ndarray, shape (height, width, 3)
        scales : sequence of int
            Mean-pooling factors.

        Returns
        -------
        float32 ndarray, shape (len(scales),)

        Raises
        ------
        InputError
            If the picture is too small for a scale.

        Examples
        --------
        Noise is no photo:

        >>> import lsd_repro as lsd
        >>> import numpy as np
        >>> import skimage.data
        >>> prior, photo = lsd.load_prior(), skimage.data.chelsea()
        >>> noisy = photo + np.random.default_rng(0).normal(0, 20, photo.shape)
        >>> prior.energy(noisy, scales=(1, 4, 8)) > prior.energy(photo, scales=(1, 4, 8))
        array([ True,  True,  True])
        """
        return np.array(self._energies(self._scales(picture, scales))(picture))

    def gradient(self, picture: Picture, scales: Sequence[int] = SCALES) -> Floats:
        """The gradient of the energy, averaged over scales, with respect to the picture.

        Parameters
        ----------
        picture, scales
            As of `energy`.

        Returns
        -------
        float32 ndarray, shape (height, width, 3)

        Examples
        --------
        >>> import lsd_repro as lsd
        >>> import skimage.data
        >>> lsd.load_prior().gradient(skimage.data.chelsea(), scales=(1, 4)).shape
        (300, 451, 3)
        """
        return self._gradient(self._scales(picture, scales))(picture)

    def map(self, picture: Picture) -> Floats:
        """The energy of every patch of a picture.

        Parameters
        ----------
        picture : ndarray, shape (height, width, 3)

        Returns
        -------
        float32 ndarray, shape (height - 7, width - 7)
            For patches of 8x8.

        Examples
        --------
        >>> import lsd_repro as lsd
        >>> import skimage.data
        >>> lsd.load_prior().map(skimage.data.chelsea()).shape
        (293, 444)
        """
        self._scales(picture, (1,))
        return self._map()(picture)

    def sample(self, size: tuple[int, int], scales: Sequence[int] = (1,), steps: int = 300, seed: int = 0,
               progress: bool = True) -> Floats:
        """A picture that the prior draws by itself, by Langevin sampling.

        Parameters
        ----------
        size : (int, int)
            Width and height.
        scales : sequence of int
            Mean-pooling factors of the energy.
        steps : int
        seed : int
        progress : bool
            Whether to show how far it is.

        Returns
        -------
        ndarray, shape (height, width, 3)
            Grey levels, not clipped.

        Examples
        --------
        >>> import lsd_repro as lsd
        >>> lsd.load_prior().sample((48, 32), steps=3, progress=False).shape
        (32, 48, 3)
        """
        width, height = values.pair("x", "width and height")(size)
        scales = tuple(map(values.whole(1), scales))
        check_scales(height, width, scales, self.prior.patch_size)
        with tqdm(total=steps, unit="step", desc="sampling", disable=not progress) as bar:
            return sample_picture(self.prior, (height, width), scales, steps, seed, bar.update)

    def save(self, path: PathLike) -> None:
        """Write a .npz file, which `load_prior` and the option ``prior`` of `dream` take."""
        kinds = {kind: self.prior if kind == self.prior.kind else None for kind in fit.KINDS}
        store.save(path, **kinds, provenance=self.provenance or "")

    def _scales(self, picture, scales):
        """Scales, having checked that they and the picture go together."""
        scales = tuple(map(values.whole(1), scales))
        height, width = checked(picture).shape[:2]
        check_scales(height, width, scales, self.prior.patch_size)
        return scales
