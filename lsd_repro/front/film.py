"""`dream`: a film, computed as it is looked at, or saved."""

import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional, Union

from PIL import Image

from lsd_repro.film import run, stream
from lsd_repro.film.write import as_still
from lsd_repro.hints import Picture, Pixels
from lsd_repro.material.files import PathLike
from lsd_repro.production.build import build, show_tiles
from lsd_repro.production.load import Inputs, load, say
from lsd_repro.production.spec import Spec
from lsd_repro.runtime import device as devices
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.gradient import GradientStep, Terms

JPEG_QUALITY = 88  # a dream as PNG would fill a notebook with a megabyte


def dream(classes: Union[str, int, Sequence[Union[str, int]]] = (), *, preset: str = "demo", schedule: Optional[PathLike] = None,
          chat: Optional[PathLike] = None, objective: str = "class", guide: Optional[PathLike] = None,
          tile: Optional[int] = None, start: Optional[PathLike] = None, size: Optional[tuple[int, int]] = None,
          frames: Optional[int] = None, steps: Optional[int] = None, network_scales: Optional[Sequence[int]] = None,
          octaves: Optional[Sequence[tuple[int, int]]] = None, learning_rate: Optional[float] = None,
          weights: Optional[PathLike] = None, prior: Optional[PathLike] = None, prior_kind: str = "student",
          prior_scales: Optional[Sequence[int]] = None, prior_strength: Optional[float] = None, float64: bool = False,
          seed: int = 0, video_frames: Optional[int] = None, device: Optional[str] = None, progress: bool = True) -> "Film":
    """Dream of classes, or of what a layer sees: the film of ``lsd-repro frames`` with the same options.

    What is asked for is read and checked now; frames are computed as the film is iterated or saved.

    Parameters
    ----------
    classes : str, int, or sequence of them
        What to show, one after the other: names or indices. ``"BOTTOM+TOP"`` shows two in the halves of the picture.
        None given: what the preset shows.
    preset : {"demo", "stream", "stills", "live"}
        The program whose constants hold unless they are given here. demo: a short film; stream and stills: 2015's two;
        live: a small picture and the small network.
    schedule : path, optional
        Instead of classes, a text file with ``NAME`` or ``NAME | FRAMES`` on each line.
    chat : path, optional
        Instead, an exported chat, which chooses by the rules of 2015.
    objective : str
        ``"class"``; or ``"layer:conv5_2"``, whatever that layer sees; or ``"layer:conv4_2:87"``, what one channel of it
        sees.
    guide : path, optional
        What the layer sees in this picture.
    tile : int, optional
        Look at so many pixels square at a time, for pictures whose maps are larger than memory.
    start : path, optional
        Start image, or ``"noise"``.
    size : (int, int), optional
        Width and height.
    frames : int, optional
        Optimised frames for each of `classes`.
    steps : int, optional
        Gradient steps of each frame.
    network_scales : sequence of int, optional
        The network sees the picture pooled by each of these at every step.
    octaves : sequence of (int, int), optional
        Instead: network scale and steps of each part of a frame.
    learning_rate : float, optional
        Grey levels per step.
    weights : path, optional
        ``"small"`` or ``"trunk"``, which ship, or a MatConvNet VGG-16 or VGG-19 .mat file.
    prior : path, optional
        A prior .npz, or a folder of 2015's .npy files.
    prior_kind : {"student", "gaussian", "tv"}
        Patch prior, or total variation.
    prior_scales : sequence of int, optional
        The prior looks at the picture pooled by each of these; 2015: 1, 4, 8, 16 and 32, of which 32 needs 256 pixels.
    prior_strength : float, optional
        Weight of the prior's energy.
    float64 : bool
        Whether to compute in float64.
    seed : int
        Of the start noise, of the class where none is named, and of a chat's draws.
    video_frames : int, optional
        Video frames between two optimised frames.
    device : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda0"``, ...; can't be changed once something was computed.
    progress : bool
        Whether to show how far it is.

    Returns
    -------
    Film

    Raises
    ------
    InputError
        A ValueError: for a class that is unknown, a value that an option can't have, options that don't go together, or
        a file that can't be read.

    Examples
    --------
    >>> import os
    >>> import lsd_repro as lsd
    >>> film = lsd.dream("king penguin+gondola", frames=2, steps=1, video_frames=5, weights="small", size=(264, 256),
    ...                  progress=False)
    >>> film
    <Film of 2 frames, 264x256, 0 dreamt>
    >>> for frame in film:
    ...     print(frame.index, frame.caption, frame.picture.shape)
    1 king penguin & gondola (256, 264, 3)
    2 king penguin & gondola (256, 264, 3)
    >>> frame.terms._fields
    ('loss', 'class_term', 'prior_term', 'target')
    >>> film.save("out/penguins")
    >>> sorted(os.listdir("out/penguins"))
    ['contact.png', 'film.mp4', 'frames', 'run.json', 'state']

    What is wrong is said at once:

    >>> lsd.dream("king pinguin", weights="small")
    Traceback (most recent call last):
    ...
    lsd_repro.errors.InputError: no class is called 'king pinguin'; did you mean ...king penguin, Aptenodytes patagonica...
    """
    # A Spec reads what it is given, of more types than it holds.
    asked: dict[str, Any] = dict(
        preset=preset, classes=classes, schedule=schedule, chat=chat, objective=objective, guide=guide, tile=tile,
        start=start, size=size, frames=frames, steps=steps, network_scales=network_scales, octaves=octaves,
        learning_rate=learning_rate, weights=weights, prior=prior, prior_kind=prior_kind, prior_scales=prior_scales,
        prior_strength=prior_strength, float64=float64, seed=seed, video_frames=video_frames)
    spec = Spec(**asked)
    if device is not None:
        devices.choose(device)
    return Film(load(spec, _teller(progress)), progress)


class Frame:
    """An optimised frame; a notebook shows its picture.

    Attributes
    ----------
    index : int
        The first is 1: the start image is 0.
    caption : str
        What it shows.
    terms : Terms or None
        Of its last step, of the picture before that step: `loss`, `class_term`, `prior_term`, and `target`, the mean logit
        of the classes. None for a frame of an earlier process.
    """

    def __init__(self, index: int, caption: str, terms: Optional[Terms], picture: Callable[[], Picture]) -> None:
        self.index, self.caption, self.terms, self._picture = index, caption, terms, picture

    @property
    def picture(self) -> Picture:
        """(height, width, 3) array in 0..255."""
        return self._picture()

    def __repr__(self) -> str:
        loss = f", loss {self.terms.loss:.2f}" if self.terms else ""
        return f"<Frame {self.index}, {self.caption}{loss}>"

    def _repr_jpeg_(self) -> bytes:
        return _jpeg(as_still(self.picture))


class Film:
    """A film that `dream` made; iterated, its frames, each computed when it is first asked for.

    Frames stay in memory, or in the folder where they were saved. A notebook shows those that were dreamt.

    Attributes
    ----------
    inputs : Inputs
        What the film is made of.
    """

    def __init__(self, inputs: Inputs, progress: bool = True) -> None:
        self.inputs, self._progress = inputs, progress
        self._made: list[Frame] = []
        self._step: Optional[GradientStep] = None

    def __len__(self) -> int:
        return len(self.inputs.scenes)

    def __repr__(self) -> str:
        program = self.inputs.program
        return f"<Film of {len(self)} frames, {program.width}x{program.height}, {len(self._made)} dreamt>"

    def __iter__(self) -> Iterator[Frame]:
        steps, made = self.inputs.program.steps_per_frame, len(self._made)
        with tqdm(total=len(self) * steps, initial=made * steps, unit="step", desc="dreaming",
                  disable=not self._progress or made == len(self)) as bar:
            for index in range(len(self)):
                # Somebody else may have asked for it in the meantime.
                if index == len(self._made):
                    self._dream_next(partial(stream.show_step, bar))
                yield self._made[index]

    def _dream_next(self, on_step):
        step, done = self._ready_step(), len(self._made)
        frame, = stream.frames(step, [(self.inputs.scenes[done], self.inputs.program)], on_step, done)
        picture = step.picture
        self._made.append(Frame(frame.index, frame.scene.caption, frame.terms, lambda: picture))

    def save(self, out: PathLike, resume: bool = False) -> None:
        """Dream what is missing, and write the folder that ``lsd-repro frames`` would: frames, film, contact sheet.

        Parameters
        ----------
        out : path
            Must be empty or absent, unless resuming.
        resume : bool
            Continue the run in `out`, if there is one.  It is the same, bit for bit, as without an interruption.

        Raises
        ------
        InputError
            If `out` is not empty, or holds a run of other parameters.
        """
        out, inputs = Path(out), self.inputs
        if self._step is None:
            # Its frames are in another folder, and without a step there is nothing that could go on from the last one.
            self._made.clear()
        shape = inputs.program.height, inputs.program.width
        resume = resume and out.is_dir() and any(out.iterdir())
        saved, touched = run.Frames(out, len(self) + 1, shape), False

        def make_step():
            nonlocal touched
            touched = True
            return self._ready_step()

        earlier = self._pictures() if self._made else []
        terms = {frame.index: frame.terms for frame in self._made}
        try:
            stream.make_film(out, inputs.scenes, inputs.program, make_step, inputs.parameters, resume, earlier,
                             lambda frame: terms.update({frame.index: frame.terms}), self._progress)
        except BaseException:
            if touched:
                # The step may be beyond the frames that are kept: what was dreamt is in the folder.
                self._made.clear()
            raise
        self._made = [Frame(index, scene.caption, terms.get(index), partial(saved.__getitem__, index))
                      for index, scene in enumerate(inputs.scenes, 1)]

    def _ready_step(self):
        """The step, with the frames behind it that were dreamt."""
        if self._step is None:
            watch = show_tiles if self._progress else iter
            self._step = build(self.inputs, watch, _teller(self._progress))
        if not self._made:
            self._step.picture = self.inputs.start
            self._step.reset_moments()
        return self._step

    def _pictures(self):
        """The start image and the frames that were dreamt."""
        return [self.inputs.start.astype(self.inputs.dtype), *(frame.picture for frame in self._made)]

    def _repr_jpeg_(self) -> Optional[bytes]:
        if not self._made:
            return None
        return _jpeg(stream.contact_sheet(self._pictures(), self.inputs.scenes[:len(self._made)]))


def _teller(progress: bool) -> Callable[[str], Any]:
    return say if progress else lambda _: None


def _jpeg(picture: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
