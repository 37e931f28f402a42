"""From inputs to the compiled step, `build`, and to films that one step makes, `make_films`."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Callable

from lsd_repro.film import estimate, run, stream
from lsd_repro.prior.energy import multiscale, patch_energy, total_variation
from lsd_repro.production.load import Inputs, say
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.gradient import GradientStep
from lsd_repro.step.tiles import Tile

TILES_SHOWN_AFTER = 5  # seconds


def show_tiles(tiles: Iterable[Tile]) -> Iterable[Tile]:
    """Tiles, with a bar if they take long: most steps don't."""
    return tqdm(tiles, "tiles", leave=False, delay=TILES_SHOWN_AFTER)


def build(inputs: Inputs, watch: Callable[[Iterable[Tile]], Iterable[Tile]] = show_tiles,
          say: Callable[[str], Any] = say) -> GradientStep:
    """Compile the step, at the start image.

    Parameters
    ----------
    inputs : Inputs
    watch : callable
        From the tiles of a step to the same; `iter` shows nothing.
    say : callable
        Is told that it compiles.

    Returns
    -------
    GradientStep
    """
    say("compiling (a minute or so the first time; Theano keeps the result)")
    spec, program, _, network, prior, start, target = inputs
    energy = multiscale(patch_energy(prior) if prior else total_variation, program.prior_scales)
    return GradientStep(network, energy, start, program.learning_rate, program.prior_strength,
                        "any" if program.octaves else program.network_scales, inputs.dtype, target=target,
                        tile=spec.tile, patch_size=inputs.patch_size, watch=watch)


def make_films(folders: Sequence[Path], inputs: Inputs, resume: bool) -> None:
    """Make a film of an equal part of a run's scenes in each folder, all with one step.

    Says first how long they will take, and after each that it is done.

    Parameters
    ----------
    folders : sequence of Path
    inputs : Inputs
    resume : bool
        Those after the one that was interrupted have not begun.

    Raises
    ------
    InputError
        As `lsd_repro.film.stream.make_film`.
    """
    if not resume:
        for folder in folders:
            run.check_empty(folder)
    scenes, program = inputs.scenes, inputs.program
    count = len(scenes) // len(folders)
    to_come = len(scenes) - sum(done for done, _ in filter(None, map(run.read_latest, folders)))
    if to_come:
        step = build(inputs)
        pace = estimate.measure(step, scenes[0], program)
        print(f"{to_come} frames of {program.steps_per_frame} steps, and {len(folders)} films: about "
              f"{estimate.in_words(pace.seconds(program, to_come, len(scenes)))} at {pace.step:.2g} s a step and "
              f"{pace.video_frame:.2g} s a video frame", file=sys.stderr)

    def from_the_start():
        step.picture = inputs.start
        step.reset_moments()
        return step

    for index, folder in enumerate(folders):
        own = scenes[index * count:(index + 1) * count]
        parameters = {**inputs.parameters, "scenes": [scene.as_list() for scene in own]}
        stream.make_film(folder, own, program, from_the_start, parameters, resume and folder.exists())
        print(f"done, see {folder}")
