"""What arrays hold, for hints; what shape they have the docstrings say.

==========  ==================================================================
`Picture`   (height, width, 3), 0 to 255: bytes, or the floats of a dream
`Pixels`    uint8, as pictures are saved and shown
`Floats`    of any precision
`Complex`   of any precision: spectra
`Integers`  of any width
`Truths`    yes or no
`Array`     of whatever is saved or loaded
`Values`    numbers in a row, array or not
==========  ==================================================================
"""

from collections.abc import Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Union[np.uint8, np.floating[Any]]]
Pixels = NDArray[np.uint8]
Floats = NDArray[np.floating[Any]]
Complex = NDArray[np.complexfloating[Any, Any]]
Integers = NDArray[np.integer[Any]]
Truths = NDArray[np.bool_]
Array = NDArray[Any]
Values = Union[Sequence[float], Floats, Integers]
