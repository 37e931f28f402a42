"""What a step raises (no Theano).

===========  =================================================================
`Classes`    two classes, one for each half of the picture: 2015's
`Layer`      a layer as a whole
`Channel`    one channel of a layer
`Guide`      what a layer shows of another picture
===========  =================================================================

A compiled step serves all classes, or all channels of one layer: their numbers are what it is told each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Union

from lsd_repro.hints import Picture

GUIDED = "conv4_3"  # unless a layer is named


@dataclass(frozen=True)
class Classes:
    """A class in the bottom half of the picture and one in the top half.

    Attributes
    ----------
    bottom, top : int
        Their indices; symbolic while a step is compiled.
    """

    bottom: int
    top: int
    layer: ClassVar[str] = "fc8"

    @property
    def numbers(self) -> tuple[Any, ...]:
        """(int, int): what a compiled step is told."""
        return self.bottom, self.top


@dataclass(frozen=True)
class Layer:
    """All channels of a layer.

    Attributes
    ----------
    layer : str
        Such as ``conv5_2``.
    """

    layer: str
    numbers: ClassVar[tuple[Any, ...]] = ()

    @property
    def name(self) -> str:
        """str: for captions."""
        return self.layer


@dataclass(frozen=True)
class Channel:
    """One channel of a layer.

    Attributes
    ----------
    layer : str
    number : int
        Symbolic while a step is compiled.
    """

    layer: str
    number: int

    @property
    def numbers(self) -> tuple[Any, ...]:
        """(int,): what a compiled step is told."""
        return self.number,

    @property
    def name(self) -> str:
        """str: for captions."""
        return f"{self.layer}, channel {self.number}"


@dataclass(frozen=True, eq=False)
class Guide:
    """What a layer shows of another picture: the layer is to show the same.

    Attributes
    ----------
    picture : ndarray, shape (height, width, 3)
        RGB in 0..255.
    layer : str
    """

    picture: Picture
    layer: str = GUIDED
    numbers: ClassVar[tuple[Any, ...]] = ()

    @property
    def name(self) -> str:
        """str: for captions."""
        return self.layer


Target = Union[Classes, Layer, Channel, Guide]

# What a step is compiled for unless it is told otherwise: any two classes.
CLASSES = Classes(0, 0)


def numbers_for(compiled: Target, aim: Sequence[Union[Target, int]]) -> tuple[int, ...]:
    """What a step that was compiled for one target is told to raise another.

    Parameters
    ----------
    compiled : Target
    aim : (Target,) or (int, int)
        The other, or the two of `Classes`.

    Raises
    ------
    ValueError
        If it can't.
    """
    target: Any = Classes(*aim) if len(aim) == 2 else aim[0]  # type: ignore[arg-type]  # two are numbers
    if type(target) is not type(compiled) or target.layer != compiled.layer:
        raise ValueError(f"a step compiled for {compiled} can't raise {target}")
    return target.numbers
