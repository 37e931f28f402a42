"""The serving process, against clients that are slow, hostile, or many."""

import asyncio
import contextlib
import json
import re
import socket
import sys
import time

import aiohttp
import numpy as np
import pytest
from stage import PROGRAM, STATE, serving, until
from yarl import URL

from lsd_repro.cli.main import main
from lsd_repro.errors import InputError
from lsd_repro.live import guard, journal, viewers
from lsd_repro.live.viewers import FILM

HOSTILE = '<img src=x onerror="document.title=1">\x00\x1b[31m\u202e'


def play(scene, *args, **changes):
    asyncio.run(scene(*args, **changes))


def told(pipe):
    """What the dreamer has been told so far."""
    found = []
    while pipe.poll(0.2):
        found.append(pipe.recv())
    return found


def test_the_page_comes_with_what_it_needs_and_may_load_nothing_else(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, _, _), aiohttp.ClientSession(live.url) as client:
            for name, kind in (("/", "text/html"), ("/live.js", "javascript"), ("/live.css", "text/css")):
                answer = await client.get(name)
                assert answer.status == 200 and kind in answer.headers["Content-Type"]
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert "http:" not in (await answer.text()).replace("http://www.w3.org", "")
            found = await (await client.get("/vocabulary.json")).json()
            assert found == [["bee"], ["spider web", "spider's web"], ["web site", "site"], ["gondola"]]
            for path in ("/snapshot.png", "/films/3.mp4", "/../setup.py", "/%2e%2e/server.py", "/live.py", "/run.json"):
                assert (await client.get(path)).status == 404

    play(scene)


@pytest.mark.parametrize("headers, status", [
    ({}, 101), ({"Origin": "OWN"}, 101), ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
    ({"Origin": "https://localhost"}, 403), ({"Host": "evil.example"}, 403),
    ({"Host": "evil.example:80", "Origin": "http://evil.example:80"}, 403)])
def test_other_sites_cannot_drive_it(tmp_path, headers, status):
    async def scene():
        async with serving(tmp_path) as (live, _, _), aiohttp.ClientSession() as client:
            sent = {name: live.url.rstrip("/") if value == "OWN" else value for name, value in headers.items()}
            try:
                connection = await client.ws_connect(live.url + "ws", headers=sent)
                found = 101
                await connection.close()
            except aiohttp.WSServerHandshakeError as error:
                found = error.status
            assert found == status
            if status == 403:
                assert (await client.get(live.url, headers=sent)).status == 403

    play(scene)


@pytest.mark.parametrize("host, ours", [("127.0.0.1:80", True), ("[::1]:80", True), ("[::1]", True), ("192.168.1.7", True),
                                        ("localhost", True), ("LOCALHOST:1", True), ("localhost.evil.example", False),
                                        ("127.0.0.1.evil.example", False), ("", False), ("evil.example:127", False)])
def test_hosts_are_addresses_or_our_names(host, ours):
    assert guard.is_ours(host, {"localhost"}) == ours


def test_what_viewers_ask_for_reaches_the_dreamer_and_nothing_else_does(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, _, pipe), aiohttp.ClientSession(live.url) as client:
            connection = await client.ws_connect("/ws")
            for said in ({"say": " gondola ", "user": "ann"}, {"strength": 3}, {"pause": True}, {"strength": float("nan")},
                         {"zoom": -1}, {"zoom": 1e9}, {"pause": "yes"}, {"strength": True}, {"say": 5}, {"say": "\x00"}):
                await connection.send_str(json.dumps(said))
            await connection.send_str("[1, 2]")
            await connection.send_str('{"say"')
            await connection.send_bytes(b"\xff")
            await asyncio.sleep(0.7)
            await connection.send_str('{"say": "nonsense", "user": 7}')
            await asyncio.sleep(0.7)
            assert told(pipe) == [{"say": ["ann", "gondola"]}, {"strength": 3.0}, {"pause": True}, {"say": ["guest", "nonsense"]}]

    play(scene)


def test_an_answer_says_what_will_come_of_a_suggestion(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, _, _):
            assert "knows no" in live.answer("unicorn+ ")
            live.state = dict(STATE, scene=[0, 3, ""])
            assert live.answer("bee") == live.answer("gondola+bee") == "that is being dreamt of"
            assert live.answer("unicorn+web") == "waiting for its turn"

    play(scene)


def test_hostile_text_stays_text(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, slot, pipe), aiohttp.ClientSession(live.url) as client:
            connection = await client.ws_connect("/ws")
            await connection.send_str(json.dumps({"say": f"bee{HOSTILE}", "user": HOSTILE}))
            await asyncio.sleep(0.3)
            user, text = told(pipe)[0]["say"]
            assert user.isprintable() and text.isprintable() and len(user) <= 25
            note = None
            async for message in connection:
                if message.type == aiohttp.WSMsgType.TEXT and "note" in message.data:
                    note = message.data
                    break
            assert "\x1b" not in note and "\u202e" not in note

    play(scene)


def test_a_message_of_a_megabyte_ends_the_connection_and_no_other(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, _, pipe), aiohttp.ClientSession(live.url) as client:
            bad, good = [await client.ws_connect("/ws", max_msg_size=0) for _ in range(2)]
            await bad.send_str(json.dumps({"say": "badger+" * 150_000}))
            async for _ in bad:
                pass
            assert bad.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            await good.send_str('{"say": "bee"}')
            await asyncio.sleep(0.3)
            assert told(pipe) == [{"say": ["guest", "bee"]}]

    play(scene)


def test_a_flood_is_read_no_faster_than_allowed(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, _, pipe), aiohttp.ClientSession(live.url) as client:
            connection = await client.ws_connect("/ws")
            begun = time.monotonic()
            for index in range(500):
                await connection.send_str(json.dumps({"say": f"bee {index}"}))
            await asyncio.sleep(1)
            allowed = viewers.AT_ONCE + viewers.A_SECOND * (time.monotonic() - begun) + 1
            assert viewers.AT_ONCE <= len(told(pipe)) <= allowed

    play(scene)


def test_who_takes_nothing_delays_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(viewers, "SECONDS_TO_TAKE", 2)

    async def scene():
        async with serving(tmp_path) as (live, _, _), aiohttp.ClientSession(live.url) as client:
            port = int(live.url.split(":")[2].strip("/"))
            stuck = socket.create_connection(("127.0.0.1", port))
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.sendall(f"GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
            quick = await client.ws_connect("/ws")
            await until(lambda: len(live.viewers) == 2)
            seen = []
            for number in range(120):
                live.offer(FILM, bytes([number]) * 200_000)
                await asyncio.sleep(0.02)
                while True:
                    try:
                        message = await quick.receive(timeout=0.05)
                    except asyncio.TimeoutError:
                        break
                    if message.type == aiohttp.WSMsgType.BINARY and message.data[0] == FILM:
                        seen.append(message.data[1])
                        break
            assert seen == list(range(120)), "every picture, in order, to who takes them"
            await until(lambda: len(live.viewers) == 1)  # the other has been let go
            stuck.close()

    play(scene)


def test_more_viewers_or_connections_than_there_is_room_for_are_turned_away(tmp_path, monkeypatch):
    monkeypatch.setattr(guard.Gate.__init__, "__defaults__", (20,))

    async def scene():
        async with serving(tmp_path, viewers=3) as (live, _, _), aiohttp.ClientSession(live.url) as client:
            watching = [await client.ws_connect("/ws") for _ in range(3)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await client.ws_connect("/ws")
            assert caught.value.status == 503
            port = int(live.url.split(":")[2].strip("/"))
            idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
            await asyncio.sleep(0.5)
            ended = 0
            for one in idle:
                one.setblocking(False)
                try:
                    ended += one.recv(1) == b""
                except ConnectionResetError:
                    ended += 1
                except BlockingIOError:
                    pass
            assert 80 <= ended < 100
            await watching[0].send_str('{"say": "bee"}')
            await until(lambda: not live.outbox.qsize())
            for one in idle:
                one.close()
            await asyncio.sleep(0.3)
            assert (await client.get("/")).status == 200

    play(scene)


def test_the_film_is_played_to_viewers_with_state_and_preview(tmp_path):
    async def scene():
        async with serving(tmp_path) as (live, slot, _), aiohttp.ClientSession(live.url) as client:
            connection = await client.ws_connect("/ws")
            await until(lambda: live.viewers)
            (tmp_path / "frames").mkdir()
            picture = np.full((PROGRAM.height, PROGRAM.width, 3), 128, np.uint8)
            for index in range(3):
                journal.write.write_png(journal.frame_file(tmp_path, index), picture)
            slot.write(dict(STATE, done=2, trace=[[7, -1.5, 2.5]], segments=[[1, 20, 1, "one"], [2, 20, 1, "two"]]), picture)
            kinds, history = [], []
            while kinds.count(FILM) < 10 or viewers.PREVIEW not in kinds or not any(point[0] == 7 for point in history):
                message = await connection.receive(timeout=5)
                if message.type == aiohttp.WSMsgType.BINARY:
                    kinds.append(message.data[0])
                    assert message.data[1:3] == b"\xff\xd8"
                else:
                    history += json.loads(message.data)["state"]["history"]
            answer = await client.get("/snapshot.png")
            assert answer.status == 200 and (await answer.read()).startswith(b"\x89PNG")

    play(scene)


def test_a_film_is_saved_and_fetched(tmp_path):
    from test_journal import dreamt

    dreamt(tmp_path / "run", 3)

    async def scene():
        async with serving(tmp_path, out=str(tmp_path / "run")) as (live, slot, _), aiohttp.ClientSession(live.url) as client:
            connection = await client.ws_connect("/ws")
            slot.write(dict(STATE, done=3), np.zeros((PROGRAM.height, PROGRAM.width, 3), np.uint8))
            await until(lambda: live.state["done"] == 3)
            await connection.send_str('{"film": true}')
            await until(lambda: "url" in live.film, seconds=30)
            answer = await client.get(live.film["url"])
            assert answer.status == 200 and b"ftyp" in (await answer.read())[:16]
            assert "minute" in live.obey({"film": True}), "nobody fills the disk with films"

    play(scene)


def test_the_end_of_the_dream_is_the_end_of_the_page(tmp_path):
    async def ended(said):
        async with serving(tmp_path) as (live, _, pipe):
            if said:
                pipe.send(said)
            pipe.close()
            await asyncio.wait_for(asyncio.shield(live.ended), 5)

    with pytest.raises(InputError, match="loss is nan"):
        play(ended, {"error": "frame 3: the loss is nan"})
    with pytest.raises(InputError, match="resume=True"):
        play(ended, None)


def test_a_port_that_is_taken_is_named(tmp_path):
    async def scene():
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            async with serving(tmp_path, port=other.getsockname()[1]):
                pass

    with pytest.raises(InputError, match="port="):
        play(scene)


def test_without_its_libraries_it_says_how_to_get_them(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert main(["live"]) == 2
    assert "the live page needs aiohttp, not installed here: pip install aiohttp" in capsys.readouterr().err


HOST = b"Host: localhost\r\n"
UPGRADE = (HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
           + b"A" * 22 + b"==\r\n")
NO_REQUESTS = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), "binary": b"\x00\xff\xfe\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "no such version": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "a giant line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "a giant header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 10_000 + b"\r\n",
    "no URL": b"GET http://[::1 HTTP/1.1\r\n" + HOST + b"\r\n", "no port": b"CONNECT a:x HTTP/1.1\r\n" + HOST + b"\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n",
    "no chunks": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no gzip": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "no page": b"GET /../../etc HTTP/1.1\r\n" + HOST + b"\r\n", "half a line": b"GET / HT",
    "no such protocol": b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: \x1b[31mx\r\n\r\n",
    "protocols": b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"Sec-WebSocket-Protocol: x\r\n\r\n",
    "no frames": b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"\r\n" + b"\xff" * 500,
    "no UTF-8": b"GET /ws HTTP/1.1\r\n" + UPGRADE + b"\r\n" + b"\x81\x82\x00\x00\x00\x00\xff\xfe",
    "far more than is read": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") * 200 + b"\xff\r\n\r\n"}


def test_what_is_no_request_leaves_no_trace_on_the_terminal(tmp_path, caplog):
    async def scene():
        async with serving(tmp_path) as (live, _, _):
            port = URL(live.url).port
            for abrupt in (False, True):
                for data in NO_REQUESTS.values():
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(data)
                    if not abrupt:
                        with contextlib.suppress(asyncio.TimeoutError, ConnectionError):
                            await asyncio.wait_for(reader.read(1), 0.05)
                    writer.transport.abort()
            async with aiohttp.ClientSession() as client:
                assert (await client.get(live.url)).status == 200

    play(scene)
    assert caplog.text == ""


def test_an_error_of_our_own_is_a_line_once(tmp_path, caplog):
    async def scene():
        async with serving(tmp_path) as (live, _, _), aiohttp.ClientSession(live.url) as client:
            live.state = {}
            for _ in range(3):
                assert (await client.get("/snapshot.png")).status == 500

    play(scene)
    [record] = caplog.records
    assert re.fullmatch(r"a visitor's request failed \(KeyError in server.py, line \d+: 'done'\)", record.getMessage())
    assert not record.exc_info
