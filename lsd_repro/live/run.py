"""Starts the two processes, and ends them: `run`."""

import asyncio
import multiprocessing
import os
import tempfile

from lsd_repro.live import dreamer
from lsd_repro.live.options import Options
from lsd_repro.runtime import extras


def run(options: Options) -> None:
    """Dream and serve until Ctrl-C.

    Parameters
    ----------
    options : Options

    Raises
    ------
    InputError
        For options that don't work, a port that is taken, a library of the extra ``live`` that is missing, or if the
        dream ends by itself.
    """
    extras.check("the live page", ("aiohttp", "irc") if options.irc else ("aiohttp",))
    from lsd_repro.live.server import Live, received

    channel = None
    if options.irc:
        from lsd_repro.live import irc

        channel = irc.parse_address(options.irc)
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="lsd-repro-") as folder:
        slot_path = os.path.join(folder, "slot")
        process = context.Process(target=dreamer.main, args=(options, slot_path, theirs), name="dreamer")
        process.start()
        theirs.close()
        try:
            dream = received(pipe)
            asyncio.run(Live(options, dream, slot_path, pipe).serve(channel))
        finally:
            pipe.close()
            process.join(5)
            process.kill()
