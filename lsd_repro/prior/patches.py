"""Photos -> patches, one photo in memory at a time.

The patches are what a prior is fitted on: 8-bit RGB values with a dither.  8-bit values
lie on a lattice, and where many patches share a point or a plane of it the likelihood
of a Student-t grows without bound: the fit follows the rounding instead of the photos,
in the worst case with degrees of freedom that run to 0.  The dither fills the lattice;
for the same reason (near-)constant patches, such as blown-out skies, are left out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats, Pixels, Truths
from lsd_repro.material.files import PathLike
from lsd_repro.material.photos import read_photo
from lsd_repro.program2015 import PATCH_SIZE

# A patch is flat if no channel spans more grey levels than this, as rounding to
# 8 bits of a constant with JPEG's smallest ripples does.
FLAT_RANGE = 2
# Positions tried in a photo for each patch wanted, before it counts as too flat.
TRIES = 4


class PatchSample(NamedTuple):
    """Patches, and what became of the photos.

    Attributes
    ----------
    patches : float32 array, shape (n, size, size, channels)
        RGB or grey, 0..255 with the dither's +-0.5 beyond.
    photos_used : int
    skipped : list of str
        One line for each photo left out: its name and the reason.
    flat : int
        (Near-)constant patches drawn and left out.
    """

    patches: Floats
    photos_used: int
    skipped: list[str]
    flat: int


def sample_patches(paths: Sequence[PathLike], count: int, rng: np.random.Generator, patch_size: int = PATCH_SIZE,
                   progress: Optional[Callable[[int, int], Any]] = None, channels: int = 3) -> PatchSample:
    """Draw patches evenly over photos, at random positions, and dither them.

    Parameters
    ----------
    paths : sequence of path
    count : int
        Patches wanted.  Fewer come back if the photos are too small or too flat.
    rng : numpy.random.Generator
    patch_size : int
    progress : callable, optional
        Called with (photos read so far, photos) before each.
    channels : {3, 1}
        RGB, or grey.

    Returns
    -------
    PatchSample

    Raises
    ------
    InputError
        If `count` is not positive or no photo gives a patch; the message lists the
        first reasons.

    Notes
    -----
    No position is drawn twice.  What a photo can't give (broken, too small, flat) is
    shared among those after it.
    A patch is left out as flat if, before dithering, no channel of it spans more than
    `FLAT_RANGE` grey levels.
    """
    if count < 1:
        raise InputError(f"the number of patches must be at least 1, got {count}")
    try:
        patches = np.empty((count, patch_size, patch_size, channels), np.float32)
    except (MemoryError, ValueError):
        raise InputError(f"{count} patches of {patch_size}x{patch_size} do not fit into memory; ask for fewer, or smaller ones") \
            from None
    found, used, flat, skipped = 0, 0, 0, []
    # In random order, so that the share of the failing ones falls to any, and so that a
    # count below the number of photos doesn't mean the first of the alphabet.
    for seen, index in enumerate(rng.permutation(len(paths))):
        wanted = -(-(count - found) // (len(paths) - seen))
        if wanted == 0:
            break
        if progress is not None:
            progress(seen, len(paths))
        path = Path(paths[index])
        try:
            picture = read_photo(path, channels)
        except InputError as error:
            skipped.append(str(error))
            continue
        if min(picture.shape[:2]) < patch_size:
            height, width = picture.shape[:2]
            skipped.append(f"{path}: {width}x{height} is smaller than a patch")
            continue
        drawn, left_out = _draw(picture, wanted, patch_size, rng)
        patches[found:found + len(drawn)] = drawn
        found += len(drawn)
        flat += left_out
        used += len(drawn) > 0
        if len(drawn) == 0:
            skipped.append(f"{path}: flat all over")
    if found == 0:
        reasons = "\n  ".join(skipped[:3])
        raise InputError(f"none of the {len(paths)} photos gives a patch; give photos that "
                         f"are not flat and at least {patch_size} pixels wide and high:\n  {reasons}")
    patches = patches[:found]
    for start in range(0, found, 4096):  # in blocks: no second array of that size
        block = patches[start:start + 4096]
        block += rng.random(block.shape, dtype=np.float32) - np.float32(0.5)
    return PatchSample(patches, used, skipped, flat)


def _draw(picture, wanted, patch_size, rng):
    """Up to `wanted` patches (uint8) that are not flat, and how many flat ones came up."""
    rows, columns = (length - patch_size + 1 for length in picture.shape[:2])
    places = rng.choice(rows * columns, min(TRIES * wanted, rows * columns), replace=False)
    slide: Any = np.lib.stride_tricks.sliding_window_view  # of whose axes numpy's hints allow one
    windows = slide(picture, (patch_size, patch_size), (0, 1))
    drawn = windows[places // columns, places % columns].transpose(0, 2, 3, 1)
    kept = np.flatnonzero(~is_flat(drawn))[:wanted]
    tried = kept[-1] + 1 if len(kept) == wanted else len(places)
    return drawn[kept], int(tried - len(kept))


def is_flat(patches: Pixels) -> Truths:
    """Which of the undithered patches (n, size, size, channels) are (near-)constant."""
    low, high = patches.min(axis=(1, 2)), patches.max(axis=(1, 2))
    return (high.astype(np.float32) - low <= FLAT_RANGE).all(axis=1)
