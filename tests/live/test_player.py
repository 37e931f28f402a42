import time

from test_journal import dreamt

from lsd_repro.live.journal import Segment
from lsd_repro.live.player import Player


def played(tmp_path, segments, watched=True, seconds=2.0):
    dreamt(tmp_path / "run", 4)
    shown = []
    player = Player(tmp_path / "run", (36, 48), lambda picture: shown.append(time.monotonic()), lambda: watched)
    player.add(segments)
    player.start()
    begun = time.monotonic()
    time.sleep(seconds)
    return player, shown, begun


def test_video_frames_come_25_a_second(tmp_path):
    _, shown, begun = played(tmp_path, [Segment(1, 30, 1.0, "a")], seconds=2.5)
    # On a busy machine some are left out.
    assert 20 <= len(shown) <= 30
    assert 1.1 < shown[-1] - begun < 1.8


def test_segments_that_wait_are_played_faster_and_each_once(tmp_path):
    segments = [Segment(index, 25, 1.0, "a") for index in (1, 2, 3)]
    player, shown, begun = played(tmp_path, [*segments, *segments], seconds=3.0)
    # 1 s, of which two wait: 1/2; then one: 2/3; then none.
    assert 50 <= len(shown) <= 75 and 2.0 < shown[-1] - begun < 2.9


def test_what_nobody_watches_is_not_drawn_and_time_goes_by_all_the_same(tmp_path):
    player, shown, _ = played(tmp_path, [Segment(1, 10, 1.0, "a"), Segment(2, 10, 1.0, "a")], watched=False, seconds=1.5)
    assert not shown and not player.waiting


def test_a_frame_that_is_kept_no_longer_is_passed_over(tmp_path):
    _, shown, _ = played(tmp_path, [Segment(9, 10, 1.0, "a"), Segment(10, 10, 1.0, "a")], seconds=0.2)
    assert not shown


def test_a_pause_holds_the_film(tmp_path):
    player, shown, _ = played(tmp_path, [Segment(1, 100, 1.0, "a")], seconds=0.3)
    player.playing.clear()
    time.sleep(0.1)
    count = len(shown)
    time.sleep(0.5)
    assert 0 < count == len(shown)
    player.playing.set()
    time.sleep(0.3)
    assert len(shown) > count
