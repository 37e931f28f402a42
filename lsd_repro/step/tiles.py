"""A picture cut into tiles that overlap by just what a map's entries see in common (no Theano).

A map's entry depends on no pixel outside of its receptive field.  So a tile that holds the fields of some
entries whole has these entries, and their gradient, as the whole picture has them; the
gradients of all tiles add up to that of the picture.  Nothing is approximate, and there is no seam.

========  ==================================================================
`grid`    tiles of a picture
`spans`   the same along one side
========  ==================================================================
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from lsd_repro.errors import OptionError
from lsd_repro.hints import Floats


class Span(NamedTuple):
    """A tile along one side.

    Attributes
    ----------
    start, stop : int
        Its pixels, from `start` to ``stop - 1``.
    first, last : int
        Entries of the whole map that it stands for, from `first` to ``last - 1``.
    offset : int
        Which entry of the whole map is the first of the tile's own map.
    entries : int
        Of the tile's own map; those beside the ones that it stands for lack a part of what they see.
    """

    start: int
    stop: int
    first: int
    last: int
    offset: int
    entries: int


class Tile(NamedTuple):
    """A tile, down and across."""

    down: Span
    across: Span

    def pixels(self, scale: int) -> tuple[slice, ...]:
        """Where it lies in an array (1, 3, height, width), if it is one of the picture pooled by `scale`."""
        return (slice(None), slice(None), *(slice(span.start * scale, span.stop * scale) for span in self))

    def entries(self) -> tuple[Any, ...]:
        """Which entries of the whole map (..., rows, columns) it stands for."""
        return (..., *(slice(span.first, span.last) for span in self))

    def own_entries(self) -> tuple[Any, ...]:
        """Where those lie in the tile's own map."""
        return (..., *(slice(span.first - span.offset, span.last - span.offset) for span in self))

    def own(self, weights: Floats) -> Floats:
        """Of an array of the whole map's size, the part that this tile stands for, and 0 elsewhere in its own map."""
        weighed = np.zeros([span.entries for span in self], weights.dtype)
        weighed[self.own_entries()] = weights[self.entries()]
        return weighed


def grid(size: tuple[int, int], entries: tuple[int, int], stride: int, start: int, field: int, tile: int) -> list[Tile]:
    """Cut a picture into tiles.

    Parameters
    ----------
    size, entries : (int, int)
        Height and width of the picture, rows and columns of the map.
    stride, start, field, tile
        As for `spans`.

    Returns
    -------
    list of Tile
    """
    return [Tile(*pair) for pair in itertools.product(*(spans(side, count, stride, start, field, tile)
                                                        for side, count in zip(size, entries)))]


def spans(side: int, entries: int, stride: int, start: int, field: int, tile: int) -> list[Span]:
    """Cut one side into tiles, each of which stands for some entries of a map, and together for all.

    Parameters
    ----------
    side : int
        In pixels.
    entries : int
        Of the map along this side.
    stride, start, field : int
        As in `lsd_repro.network.receptive.Layer`.
    tile : int
        Pixels that a tile has at the most.

    Returns
    -------
    list of Span

    Raises
    ------
    InputError
        If not even one entry's field fits into a tile.
    """
    # A tile begins and ends where the windows of all max-pools do, so that its windows are the whole picture's.
    before, behind = start // stride, -(-(start + field) // stride)
    count = tile // stride - (behind - before) + 1
    if count < 1:
        raise OptionError("tile", f"{tile}: the tile must cover the receptive field of {(behind - before) * stride} pixels")
    lost = side // stride - entries  # by layers without padding
    found = []
    for first in range(0, entries, count):
        last = min(first + count, entries)
        offset = max(first + before, 0)
        start, stop = offset * stride, min((last - 1 + behind) * stride, side)
        found.append(Span(start, stop, first, last, offset, (stop - start) // stride - lost))
    return found
