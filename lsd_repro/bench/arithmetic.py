"""How many floating-point operations a step takes, by the shapes of its layers.

Counted are those of convolutions alone: one multiplication and one addition per weight
and position, as a computation by matrix products does them.  An algorithm with fewer
multiplications (Winograd's) can be faster than this count allows.
"""

from lsd_repro.program2015 import VGG16_GROUPS

# A convolution, and its gradient with respect to what it was applied to.
FORWARD_AND_BACK = 2


def network_operations(shapes, size):
    """Operations of the class logits and of a gradient with respect to the picture.

    Parameters
    ----------
    shapes : sequence of 16 (out, in, height, width)
        Of the weights.
    size : (width, height)
        Of the picture.

    Returns
    -------
    int
    """
    shapes = iter(shapes)
    columns, rows = size
    total = 0
    for count in VGG16_GROUPS:
        for _ in range(count):
            total += _operations(next(shapes), rows, columns)
        rows, columns = rows // 2, columns // 2
    for shape in shapes:
        rows, columns = rows - shape[2] + 1, columns - shape[3] + 1
        total += _operations(shape, rows, columns)
    return FORWARD_AND_BACK * total


def prior_operations(shape, size, scales):
    """Operations of the patch prior's energy over scales and of its gradient.

    Parameters
    ----------
    shape : (components, channels, height, width)
        Of the filters.
    size : (width, height)
        Of the picture.
    scales : sequence of int
        Mean-pooling factors.

    Returns
    -------
    int
    """
    return FORWARD_AND_BACK * sum(
        _operations(shape, size[1] // scale - shape[2] + 1, size[0] // scale - shape[3] + 1) for scale in scales)


def _operations(shape, rows, columns):
    """Of a convolution that makes a map of `rows` x `columns`."""
    out, channels, height, width = shape
    return 2 * out * channels * height * width * rows * columns
