"""How much the live page holds: figures (pytest -s shows them), and bounds that they must keep.

Everything goes to 127.0.0.1, in bounded numbers.
"""

import asyncio
import json
import os
import re
import resource
import socket
import time
from pathlib import Path

import aiohttp
import pytest
from running import running

pytestmark = pytest.mark.slow

FILM = 0


def memory(pid):
    """Resident memory of a process and of its children, in MiB."""
    children = os.popen(f"pgrep -P {pid}").read().split()
    pages = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{one}/status").read_text()) for one in (pid, *children)]
    return [round(int(found.group(1)) / 1024) for found in pages if found]


def processor_time(pid):
    """Seconds that the children of a process, of which one dreams, had of a core."""
    children = os.popen(f"pgrep -P {pid}").read().split()
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in children]
    return sum(int(ticks) for one in fields for ticks in one[11:13]) / os.sysconf("SC_CLK_TCK")


class Watcher:
    """A viewer that counts what comes."""

    def __init__(self):
        self.films, self.state, self.since = 0, {}, time.monotonic()

    async def watch(self, connection):
        async for message in connection:
            if message.type == aiohttp.WSMsgType.BINARY:
                self.films += message.data[0] == FILM
            else:
                self.state = json.loads(message.data).get("state") or self.state

    def start(self):
        self.films, self.since = 0, time.monotonic()

    @property
    def rate(self):
        return self.films / (time.monotonic() - self.since)

    async def until(self, true, seconds=120):
        begun = time.monotonic()
        while not true():
            assert time.monotonic() - begun < seconds, "it did not happen"
            await asyncio.sleep(0.02)
        return time.monotonic() - begun


async def measured(watcher, seconds=10):
    """Frames dreamt, and video frames seen, in a second."""
    watcher.start()
    done, begun = watcher.state["done"], time.monotonic()
    await asyncio.sleep(seconds)
    return f"{(watcher.state['done'] - done) / (time.monotonic() - begun):.2f} frames dreamt a second, " \
           f"{watcher.rate:.1f} video frames seen a second"


@pytest.mark.parametrize("size", ["480x272", "840x472"])
def test_speed_and_the_time_from_a_suggestion_to_its_picture(tmp_path, size):
    async def scene(process):
        async with aiohttp.ClientSession(process.url) as client:
            connection, watcher = await client.ws_connect("/ws"), Watcher()
            task = asyncio.ensure_future(watcher.watch(connection))
            await watcher.until(lambda: watcher.state.get("done", 0) >= 4, 300)
            done, used = watcher.state["done"], processor_time(process.pid)
            print(f"\n{size}: {await measured(watcher, 20)}")
            await watcher.until(lambda finished=watcher.state["done"]: watcher.state["done"] > finished)
            used = (processor_time(process.pid) - used) / (watcher.state["done"] - done)
            print(f"{size}: {used:.2f} s of a core for a frame; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            for text in ("goldfish", "pizza"):
                await connection.send_str(json.dumps({"say": text, "user": "ann"}))
                chosen = await watcher.until(lambda: watcher.state["scene"][2].endswith(text))
                # The film begins to show a frame once it is finished.
                done = watcher.state["done"]
                finished = await watcher.until(lambda: watcher.state["done"] > done)
                print(f"{size}, {text}: {chosen:.1f} s until it is dreamt of (seen in 'what comes next'), "
                      f"{chosen + finished:.1f} s until the film goes there")
                assert chosen + finished < 60
            print(f"{size}: memory {memory(process.pid)} MiB (server, then its children)")
            task.cancel()

    with running(tmp_path / "run", "--hold", 0, "--size", size) as process:
        asyncio.run(scene(process))


def test_many_viewers_connections_and_floods(tmp_path):
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)

    async def scene(process):
        async with aiohttp.ClientSession(process.url, connector=aiohttp.TCPConnector(limit=0)) as client:
            first, connection = Watcher(), await client.ws_connect("/ws")
            tasks = [asyncio.ensure_future(first.watch(connection))]
            await first.until(lambda: first.state.get("done", 0) >= 3, 300)
            before = memory(process.pid)
            print(f"\n1 viewer: {await measured(first)}; memory {before} MiB")

            others = [Watcher() for _ in range(63)]
            for other in others:
                tasks.append(asyncio.ensure_future(other.watch(await client.ws_connect("/ws"))))
            for other in others:
                other.start()
            print(f"64 viewers: {await measured(first)}, {sum(other.rate for other in others) / 63:.1f} by each of the others; "
                  f"memory {memory(process.pid)} MiB")
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await client.ws_connect("/ws")
            for task in tasks[1:]:
                task.cancel()
            await first.until(lambda: first.state["viewers"] < 10)

            port = int(process.url.split(":")[2].strip("/"))
            idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
            print(f"1000 idle connections: {await measured(first)}; memory {memory(process.pid)} MiB")
            for one in idle:
                one.close()
            await asyncio.sleep(1)

            flood = [asyncio.ensure_future(bad(client, kind)) for kind in (big, quick, garbage, hostile) for _ in range(5)]
            print(f"20 that flood: {await measured(first)}; memory {memory(process.pid)} MiB")
            await end(flood)
            after = memory(process.pid)
            print(f"afterwards: {await measured(first)}; memory {after} MiB")
            assert first.rate > 10
            assert sum(after) < sum(before) + 200
            assert process.poll() is None

    with running(tmp_path / "run", "--hold", 60) as process:
        asyncio.run(scene(process))
        process.send_signal(2)
        assert "Traceback" not in process.communicate()[1]


async def end(tasks):
    """Cancel tasks until they are done: one that was sending still waits for the server to hear its goodbye."""
    for _ in range(10):
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)
        if not tasks:
            return
    raise AssertionError(f"{len(tasks)} connections can't be ended")


async def bad(client, kind):
    """Be a nuisance for at most 15 seconds, coming again when thrown out."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            async with client.ws_connect("/ws") as connection:
                while time.monotonic() < end and not connection.closed:
                    await kind(connection)
                    await asyncio.sleep(0.002)
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
        except ConnectionError:
            await asyncio.sleep(0.05)


async def big(connection):
    await connection.send_str(json.dumps({"say": "badger+" * 150_000}))


async def quick(connection):
    await connection.send_str('{"say": "bee+pizza", "user": "eve"}')


async def garbage(connection):
    await connection.send_bytes(os.urandom(3000))


async def hostile(connection):
    await connection.send_str(json.dumps({"say": "<script>\x00\x1b[2J\u202e" + "+" * 400, "user": "<b>\x07"}))
