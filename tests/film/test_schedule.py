"""Who is shown when."""

from dataclasses import replace

import pytest

from lsd_repro.errors import InputError
from lsd_repro.film.schedule import Scene, parse_classes, plan, read_schedule, scenes
from lsd_repro.program2015 import STREAM
from lsd_repro.step.target import Classes

DESCRIPTIONS = ("king penguin, Aptenodytes patagonica", "gondola", "spider web, spider's web",
                "pizza, pizza pie")


@pytest.fixture
def schedule(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "evening.txt"
        path.write_bytes(text.encode(encoding))
        return path
    return write


def test_one_class_fills_both_halves():
    assert parse_classes(["spider web"], DESCRIPTIONS) == [Scene(Classes(2, 2), "spider web")]


def test_of_two_classes_the_first_is_below():
    scene, = parse_classes(["king penguin+gondola"], DESCRIPTIONS)
    assert scene.target.numbers == (0, 1)
    assert scene.caption == "king penguin & gondola"


def test_spaces_around_the_plus_do_not_matter():
    assert (parse_classes([" king penguin + gondola "], DESCRIPTIONS)
            == parse_classes(["king penguin+gondola"], DESCRIPTIONS))


def test_the_caption_is_the_term_asked_for_as_the_network_spells_it():
    captions = [scene.caption for scene in parse_classes(["PIZZA PIE", "Spider's web"], DESCRIPTIONS)]
    assert captions == ["pizza pie", "spider's web"]


def test_the_same_class_twice_is_one_class():
    assert parse_classes(["pizza+pizza"], DESCRIPTIONS) == [Scene(Classes(3, 3), "pizza")]


@pytest.mark.parametrize("query, message", [
    ("pizza+gondola+spider web", "names 3 classes"),
    ("pizza+", "lacks the name"),
    ("", "lacks the name"),
    ("unicorn", "unicorn"),
])
def test_bad_queries_say_what_is_wrong(query, message):
    with pytest.raises(InputError, match=message):
        parse_classes([query], DESCRIPTIONS)


def test_plan_holds_each_scene():
    one, two = Scene(Classes(0, 0), "a"), Scene(Classes(1, 2), "b & c")
    assert plan([one, two], 3) == [one, one, one, two, two, two]


def test_plan_needs_a_scene_and_a_frame():
    with pytest.raises(InputError, match="at least 1, not 0"):
        plan([Scene(Classes(0, 0), "a")], 0)
    with pytest.raises(InputError, match="at least one"):
        plan([], 1)


def test_file_with_comments_counts_and_blank_lines(schedule):
    path = schedule("# an evening\n\nspider web\n  king penguin+gondola | 3   # above\npizza|1\n")
    shown = read_schedule(path, DESCRIPTIONS, 2)
    assert [scene.target.bottom for scene in shown] == [2, 2, 0, 0, 0, 3]
    assert shown[2].target.top == 1


def test_file_from_a_windows_editor(schedule):
    assert len(read_schedule(schedule("pizza\r\ngondola\r\n", "utf-8-sig"), DESCRIPTIONS, 1)) == 2


@pytest.mark.parametrize("line, message", [
    ("unicorn", "unicorn"),
    ("pizza | many", "not 'many'"),
    ("pizza |", "number of frames"),
    ("pizza | 0", "at least 1"),
    ("| 3", "lacks the name"),
])
def test_file_errors_name_file_and_line(schedule, line, message):
    path = schedule(f"gondola\n# and then\n{line}\n")
    with pytest.raises(InputError, match=f"evening.txt, line 3: .*{message}"):
        read_schedule(path, DESCRIPTIONS, 1)


def test_unreadable_files_are_named(schedule, tmp_path):
    with pytest.raises(InputError, match="absent.txt"):
        read_schedule(tmp_path / "absent.txt", DESCRIPTIONS, 1)
    with pytest.raises(InputError, match="evening.txt is not UTF-8"):
        read_schedule(schedule("pizza caf\u00e9", "latin-1"), DESCRIPTIONS, 1)
    with pytest.raises(InputError, match="evening.txt names no class"):
        read_schedule(schedule("# nothing\n"), DESCRIPTIONS, 1)


def test_what_the_user_names_comes_before_what_the_program_shows(schedule):
    program = replace(STREAM, classes=("pizza",), frames_per_class=2)
    assert [s.target.bottom for s in scenes([], None, program, DESCRIPTIONS, 0)] == [3, 3]
    assert [s.target.bottom for s in scenes(["gondola"], None, program, DESCRIPTIONS, 0)] == [1, 1]
    assert [s.target.bottom for s in scenes(None, schedule("spider web|1"), program, DESCRIPTIONS, 0)] == [2]
    with pytest.raises(InputError, match="not both"):
        scenes(["gondola"], schedule("pizza"), program, DESCRIPTIONS, 0)


def test_without_any_class_one_is_drawn_by_the_seed():
    drawn = [scenes([], None, STREAM, DESCRIPTIONS, seed) for seed in range(20)]
    assert drawn[5] == scenes([], None, STREAM, DESCRIPTIONS, 5)
    assert {shown[0].target.bottom for shown in drawn} == {0, 1, 2, 3}
    for shown in drawn:
        assert len(shown) == STREAM.frames_per_class and len(set(shown)) == 1
        assert DESCRIPTIONS[shown[0].target.bottom].startswith(shown[0].caption)
