"""Exports as the tools write them, whole and broken."""

import gzip
import json

import pytest

from lsd_repro.chat.logs import read_log
from lsd_repro.errors import InputError


def comment(seconds, user, text):
    return {"_id": "0f2b", "created_at": "2023-05-05T14:39:02Z", "content_offset_seconds": seconds,
            "commenter": {"display_name": user.title(), "_id": "1", "name": user}, "message": {
                "body": text, "bits_spent": 0, "fragments": [{"text": text, "emoticon": None}], "user_badges": []}}


COMMENTS = [comment(3600.5, "ann", "volcano"), comment(3602, "bob", 'say "comments": [ + bee'), comment(3661, "cy", "tree frog")]
TWITCH = {"FileInfo": {"Version": {"Major": 1, "Minor": 4}}, "streamer": {"name": "s", "id": 1},
          "video": {"title": 'a "comments":[ title', "start": 3600}, "comments": COMMENTS, "embeddedData": None}
EXPECTED = [(0, "ann", "volcano"), (1.5, "bob", 'say "comments": [ + bee'), (60.5, "cy", "tree frog")]

ITEM = {"message_id": "x", "timestamp": 1_600_000_000_500_000, "time_in_seconds": 30.0, "message_type": "text_message",
        "author": {"name": "ann", "display_name": "Ann", "id": "1"}, "message": "volcano", "action_type": "text_message"}
LATER = {**ITEM, "timestamp": 1_600_000_060_500_000, "time_in_seconds": 90.0, "author": {"display_name": "Bob"},
         "message": "bee"}

IRC = [b"@badge-info=;color=#0D4200;tmi-sent-ts=1642696567751;user-type= :ann!ann@ann.tmi.twitch.tv PRIVMSG #stream :volcano",
       b":tmi.twitch.tv 001 justinfan12 :Welcome, GLHF!",
       b"@tmi-sent-ts=1642696570751;user-id=1 :bob!bob@bob.tmi.twitch.tv PRIVMSG #stream :\x01ACTION bee :+ \x01",
       b"@tmi-sent-ts=1642696571000 :tmi.twitch.tv USERNOTICE #stream :raid",
       b"PING :tmi.twitch.tv",
       b":eve!eve@eve PRIVMSG #stream :no tags",
       b"@tmi-sent-ts=1642696580751 :cy!cy@cy.tmi.twitch.tv PRIVMSG #stre"]

CHATTERINO = """# Start logging at 2023-05-05 23:59:00 CEST
[23:59:10]  ann: volcano
[23:59:12] bob has been timed out for 10s.
[00:00:10]  bob: tree frog: really

# Stop logging at 2023-05-06 00:01:00 CEST
"""


def read(tmp_path, content, name="chat"):
    data = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
    path = tmp_path / name
    path.write_bytes(data)
    return read_log(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("indent", [None, 2])
def test_twitchdownloader_json_plain_and_gzipped(tmp_path, pack, indent):
    log = read(tmp_path, pack(json.dumps(TWITCH, indent=indent).encode()))
    assert log.messages == EXPECTED and log.skipped == [] and "TwitchDownloader" in log.format


def test_twitchdownloader_entries_that_lack_something_are_named(tmp_path):
    entries = [*COMMENTS, {}, {"commenter": None, "message": None, "content_offset_seconds": 1}, 3, None,
               comment(float("nan"), "ann", "bee"), comment(True, "ann", "bee"), comment("5", "ann", "bee"),
               comment(1, "ann", "\x00\u202e"), {**comment(1, "", "x"), "commenter": {"display_name": "Zoe"}}]
    log = read(tmp_path, {**TWITCH, "comments": entries})
    assert len(log.messages) == 4 and "Zoe" in {message.user for message in log.messages}
    assert dict(log.skipped) == {
        "comment 4": "without time and user and text", "comment 5": "without user and text", "comment 6": "not an object",
        "comment 7": "not an object", "comment 8": "without time", "comment 9": "without time", "comment 10": "without time",
        "comment 11": "nothing in it can be printed"}


def test_json_cut_anywhere_gives_what_was_whole(tmp_path):
    text = json.dumps({"comments": COMMENTS})
    ends = [text.index(json.dumps(entry)) + len(json.dumps(entry)) for entry in COMMENTS]
    for cut in range(ends[0], len(text) - 2):
        log = read(tmp_path, text[:cut])
        assert log.messages == EXPECTED[:sum(end <= cut for end in ends)], cut
        assert len(log.skipped) == 1 and "cut off" in log.skipped[0][1], cut


def test_gzip_cut_or_broken_gives_what_can_be_unpacked(tmp_path):
    many = [comment(index, "ann", f"{index * 7919 % 10007} bee") for index in range(5000)]
    packed = gzip.compress(json.dumps({"comments": many}).encode())
    for broken in (packed[:len(packed) // 2], packed[:-4], packed[:9000] + b"\xff" * 50 + packed[9050:]):
        log = read(tmp_path, broken)
        assert 100 < len(log.messages) <= 5000
        assert log.messages[99].text == many[99]["message"]["body"]
        assert any("gzip" in why for _, why in log.skipped)


@pytest.mark.parametrize("content", [json.dumps([ITEM, LATER], indent=4), json.dumps(ITEM) + "\n" + json.dumps(LATER) + "\n"])
def test_chat_downloader_counts_microseconds(tmp_path, content):
    log = read(tmp_path, content)
    assert log.messages == [(0, "ann", "volcano"), (60, "Bob", "bee")] and "chat-downloader" in log.format


def test_chat_downloader_without_timestamps_goes_by_the_time_in_the_video(tmp_path):
    items = [{key: value for key, value in item.items() if key != "timestamp"} for item in (LATER, ITEM)]
    assert read(tmp_path, items).messages == [(0, "ann", "volcano"), (60, "Bob", "bee")]


def test_every_field_of_chat_downloader_is_optional(tmp_path):
    for key in ITEM:
        item = {name: value for name, value in ITEM.items() if name != key}
        log = read(tmp_path, [ITEM, item, LATER])
        assert len(log.messages) + len(log.skipped) == 3
        assert len(log.skipped) == (key in ("author", "message"))


def test_a_broken_line_of_jsonl_does_not_hide_the_next(tmp_path):
    log = read(tmp_path, json.dumps(ITEM) + "\n" + json.dumps(ITEM)[:50] + "\n" + "[" * 100_000 + "\n" + json.dumps(LATER))
    assert len(log.messages) == 2
    assert dict(log.skipped) == {"entry 2": "cut off or broken", "entry 3": "nested too deeply"}


def test_raw_irc_goes_by_the_time_of_its_tags(tmp_path):
    log = read(tmp_path, b"\r\n".join(IRC))
    assert log.messages == [(0, "ann", "volcano"), (3, "bob", "bee :+")] and log.format == "raw IRC"
    assert dict(log.skipped) == {"line 2": "no chat message", "line 4": "no chat message", "line 5": "no chat message",
                                 "line 6": "without time", "line 7": "cut off"}


def test_chatterino_goes_past_midnight(tmp_path):
    log = read(tmp_path, CHATTERINO)
    assert log.messages == [(0, "ann", "volcano"), (60, "bob", "tree frog: really")]
    assert log.skipped == [("line 3", "not understood")]


def test_chatterino_logs_of_several_days_in_one_file(tmp_path):
    log = read(tmp_path, "# Start logging at 2023-05-05 23:00:00 CEST\n[23:00:00] ann: a\n"
                         "# Start logging at 2023-05-07 22:00:00 CEST\n[22:00:00] ann: b\n")
    assert [message.time for message in log.messages] == [0, 2 * 86400 - 3600]


@pytest.mark.parametrize("stamps", [("[0:59:10]", "[1:00:10.5]"), ("[25:00:00]", "[25:01:00.5]"),
                                    ("[2023-05-05 23:59:10 UTC]", "[2023-05-06 00:00:10.5 UTC]"),
                                    ("[2023-05-05 23:59:10.000 UTC]", "[2023-05-06 00:00:10.500 UTC]")])
def test_twitchdownloader_text(tmp_path, stamps):
    log = read(tmp_path, f"\ufeff{stamps[0]} ann: volcano\n{stamps[1]} bob: bee\n")
    assert log.messages == [(0, "ann", "volcano"), (60 + (".5" in stamps[1]) / 2, "bob", "bee")
                            ] and log.skipped == []


def test_lines_of_another_kind_and_bytes_that_are_no_text_are_named(tmp_path):
    log = read(tmp_path, b"[0:00:01] ann: a\n[0:00:02] bob: b\n[2023-05-05 23:59:10 UTC] cy: c\nzoe: d\n\xff\xfe\n"
                         b"[2023-15-05 23:59:10 UTC] cy: c\n")
    assert len(log.messages) == 2
    assert [why for _, why in log.skipped] == ["text with dates among text with times of day", "without time", "not UTF-8",
                                               "no such date"]
    assert "1 without time (first: line 4)" in log.summary()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"comments": []}', '{"comments": [', "ann: hello\nbob: hi\n", "\x00" * 100,
                                     b"\x1f\x8b", b"\x1f\x8b" + b"\x00" * 50, "[" * 100_000, "[0:00:01] \n", b"\xef\xbb\xbf"])
def test_a_file_without_messages_is_one_clear_line(tmp_path, content):
    with pytest.raises(InputError, match="chat: no chat message.*TwitchDownloader") as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputError, match="can't read the chat"):
            read_log(path)


def test_no_mutilation_of_an_export_is_a_traceback(tmp_path):
    import random

    rng = random.Random(0)
    whole = [json.dumps(TWITCH).encode(), json.dumps([ITEM, LATER]).encode(), b"\r\n".join(IRC), CHATTERINO.encode(),
             gzip.compress(json.dumps(TWITCH).encode())]
    for _ in range(300):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            log = read(tmp_path, bytes(data[:rng.randrange(len(data))]))
        except InputError:
            continue
        assert all(message.user and message.text.isprintable() for message in log.messages)
        assert log.summary()


def test_what_cannot_be_seen_is_taken_out(tmp_path):
    log = read(tmp_path, "[0:00:01] an\x07n: \u202evol\x1bcano\t\x9b  now\ufeff\n[0:00:02] ann: " + "x" * 10_000)
    assert log.messages[0] == (0, "ann", "volcano now")
    assert len(log.messages[1].text) == 500
