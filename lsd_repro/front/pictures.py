"""Pictures that a user hands over: `checked`."""

import numpy as np

from lsd_repro.hints import Picture


def checked(picture: Picture) -> Picture:
    """A picture as it is; ValueError for what is none."""
    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype.kind not in "uif":
        raise ValueError(f"a picture is a (height, width, 3) array of numbers in 0..255, not {picture.dtype} of shape "
                         f"{picture.shape}")
    return picture
