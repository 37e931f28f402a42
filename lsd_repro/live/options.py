"""What the live page is asked for, beside what it dreams of: `Options`."""

from dataclasses import dataclass
from typing import Optional

from lsd_repro.production.spec import Spec


@dataclass(frozen=True)
class Options:
    """The options of ``lsd-repro live``, which has their defaults.

    Attributes
    ----------
    spec : Spec
        What to dream.
    out : str
        The run's folder.
    resume : bool
    keep : int
        Frames to keep.
    hold : float or None
        Seconds for which a suggestion is held; None: what goes with the preset.
    host : str
    port : int
        0: any.
    open : bool
        Whether to open the page in the browser.
    viewers : int
        How many there is room for.
    irc : str or None
        The channel whose chat also chooses, as `lsd_repro.live.irc.parse_address` takes it.
    irc_nick : str or None
    irc_tell : bool
        Whether to announce there what is dreamt next.
    """

    spec: Spec
    out: str
    resume: bool
    keep: int
    hold: Optional[float]
    host: str
    port: int
    open: bool
    viewers: int
    irc: Optional[str]
    irc_nick: Optional[str]
    irc_tell: bool
