"""The command with its two processes, on a small network."""

import asyncio
import json
import os
import shutil
import signal
import time

import aiohttp
import numpy as np
import pytest
from running import running
from small_network import small_network
from stage import until
from test_irc import Server, Talker, needs_server
from waiting import wait_until

from lsd_repro.live.journal import read_segments
from lsd_repro.network import matconvnet

pytestmark = pytest.mark.slow  # the dreamer compiles in each

SMALL = ("--size", "264x256", "--steps", 2, "--hold", 0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.mat"
    matconvnet.write(path, small_network(np.random.default_rng(5)))
    return str(path)


def done(out):
    segments = read_segments(out)
    return segments[-1].index if segments else 0


async def suggest(url, text):
    """Suggest, and wait until it is shown; returns the state."""
    async with aiohttp.ClientSession() as client, client.ws_connect(url + "ws") as connection:
        await connection.send_str(json.dumps({"say": text, "user": "ann"}))
        async for message in connection:
            if message.type == aiohttp.WSMsgType.TEXT:
                state = json.loads(message.data).get("state")
                if state and state.get("scene", ["", "", ""])[2]:
                    return state


def test_a_killed_run_loses_the_frame_at_hand_at_most_and_goes_on(tmp_path, weights):
    out, options = tmp_path / "run", ("--weights", weights, *SMALL)
    with running(out, *options) as process:
        state = asyncio.run(asyncio.wait_for(suggest(process.url, "creature 3"), 120))
        assert state["scene"][2] == "@ann: creature 3"
        wait_until(lambda: done(out) >= 3)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        finished = done(out)
    time.sleep(1)
    # The other process has noticed, and finished no more than what it was at.
    assert done(out) <= finished + 1
    finished = done(out)
    with running(out, *options, "--resume") as process:
        wait_until(lambda: done(out) >= finished + 2)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate()
        assert process.returncode == 130 and "--resume" in messages and "Traceback" not in messages
    segments = read_segments(out)
    assert [segment.index for segment in segments] == list(range(1, len(segments) + 1))
    assert {segment.caption for segment in segments[finished:]} == {"@ann: creature 3"}


@pytest.mark.skipif(not shutil.which("pgrep"), reason="no pgrep (Debian: apt-get install procps)")
def test_a_dream_that_dies_ends_the_page_with_one_clear_line(tmp_path, weights):
    with running(tmp_path / "run", "--weights", weights, *SMALL) as process:
        wait_until(lambda: done(tmp_path / "run") >= 1)
        dreamer = int(os.popen(f"pgrep -P {process.pid} -f multiprocessing.spawn").read().split()[0])
        os.kill(dreamer, signal.SIGKILL)
        _, messages = process.communicate()
        assert process.returncode == 2
        assert "--resume" in messages.splitlines()[-1] and "Traceback" not in messages


@pytest.mark.parametrize("arguments, word", [(("--irc", "nowhere"), "HOST:PORT/#channel"), (("--size", "255x300"), "256x256"),
                                             (("--weights", "absent.mat"), "absent.mat"), (("--resume",), "no run to resume")])
def test_bad_options_are_one_clear_line(tmp_path, weights, arguments, word):
    with pytest.raises(AssertionError, match="it ended") as caught, \
            running(tmp_path / "run", "--weights", weights, *arguments):
        pass
    assert word in str(caught.value) and "Traceback" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@needs_server
def test_a_channel_chooses_before_and_after_its_server_was_cut_off_while_frames_are_dreamt(tmp_path, weights):
    async def scene():
        server = Server(tmp_path)
        await server.start()
        with running(tmp_path / "run", "--weights", weights, *SMALL, "--irc", f"localhost:{server.port}/#dreams") as process:
            try:
                for name in ("creature 3", "creature 5"):
                    ann = await Talker().come(server.port)
                    await until(lambda: any("JOIN" in line and "lsd" in line for line in ann.lines)
                                or any(" 353 " in line and "lsd" in line for line in ann.lines), 30)
                    ann.raw(f"PRIVMSG #dreams :{name}")
                    await until(lambda: captions(tmp_path / "run")[-1:] == [f"@ann: {name}"], 60)
                    server.kill()
                    finished = done(tmp_path / "run")
                    await until(lambda: done(tmp_path / "run") >= finished + 2, 60)
                    await server.start()
            finally:
                server.kill()
            assert process.poll() is None

    asyncio.run(scene())


def captions(out):
    return [segment.caption for segment in read_segments(out)]
