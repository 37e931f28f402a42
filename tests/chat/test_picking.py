"""The picking rules of 2015, quirk by quirk."""

import random
import sys
from collections import Counter

import pytest

from lsd_repro.chat.messages import Message
from lsd_repro.chat.picking import Chat, pick
from lsd_repro.chat.vocabulary import STOP_WORDS, candidates, vocabulary
from lsd_repro.network import ilsvrc
from lsd_repro.step.target import Classes

DESCRIPTIONS = ("bee", "spider web, spider's web", "web site, website, internet site, site", "crane", "Angora, Angora rabbit",
                "crane", "red fox, Vulpes vulpes", "grey fox, gray fox", "Fox Will, will", "badger", "tree frog, tree-frog")
BEE, SPIDER_WEB, SITE, CRANE_BIRD, ANGORA, CRANE, RED_FOX, GREY_FOX, WILL, BADGER, FROG = range(len(DESCRIPTIONS))
WORDS = vocabulary(DESCRIPTIONS)
NOTHING = frozenset()


def said(*texts):
    return [Message(0, f"user{index}", text) for index, text in enumerate(texts)]


def draws(text, shown=NOTHING, count=600):
    chosen = [pick(said(text), WORDS, shown, random.Random(seed)) for seed in range(count)]
    return Counter(choice and choice.scene.target.numbers for choice in chosen)


def only(text, shown=NOTHING):
    (outcome, _), = draws(text, shown, 20).items()
    return outcome


def test_a_whole_term_matches_in_any_case():
    assert only("SPIDER WEB") == (SPIDER_WEB, SPIDER_WEB)
    assert only("  tree-frog ") == (FROG, FROG)


def test_a_term_is_preferred_to_a_word():
    assert only("website") == (SITE, SITE)
    assert only("site") == (SITE, SITE)


def test_a_word_of_a_description_matches_but_not_within_a_sentence():
    assert only("spider's") == (SPIDER_WEB, SPIDER_WEB)
    assert only("a spider's home") is None
    assert only("spider web please") is None


def test_the_lot_is_weighted_by_how_often_a_description_has_the_word():
    counts = draws("web")
    # Twice in "spider web, spider's web", once in "web site, ...": 2/3 of 600, within four deviations.
    assert set(counts) == {(SPIDER_WEB, SPIDER_WEB), (SITE, SITE)}
    assert abs(counts[SPIDER_WEB, SPIDER_WEB] - 400) < 4 * (600 * 2 / 9) ** 0.5


def test_of_equal_descriptions_one_can_be_reached():
    assert only("crane") == (CRANE, CRANE)


def test_of_the_stream_s_thousand_classes_the_chat_reaches_all_but_the_bird():
    _, descriptions = ilsvrc.read()
    words = vocabulary(descriptions)
    reached = {index for description in descriptions for term in description.split(", ") for index in candidates(term, words)}
    assert set(range(1000)) - reached == {134} and descriptions[134] == descriptions[517] == "crane"
    # A whole term goes before words, though it be that of two classes.
    assert [descriptions[index] for index in candidates("Harp", words)] == ["harmonica, mouth organ, harp, mouth harp", "harp"]
    assert Counter(descriptions[index].split(",")[0] for index in candidates("rabbit", words)) == {"wood rabbit": 2, "Angora": 1}


def test_a_word_is_passed_over_if_any_of_its_candidates_is_shown():
    assert set(draws("fox")) == {(RED_FOX, RED_FOX), (GREY_FOX, GREY_FOX), (WILL, WILL)}
    assert only("fox", shown={RED_FOX}) is None
    assert only("gray fox", shown={RED_FOX}) == (GREY_FOX, GREY_FOX)
    assert only("bee", shown={BEE}) is None


def test_stop_words_match_nothing_not_even_as_a_term():
    assert len(STOP_WORDS) == 101
    assert only("will") is None and only("the") is None


def test_plus_makes_two_halves_the_first_below_and_no_more():
    assert only("bee+badger") == (BEE, BADGER)
    assert only("bee + nonsense + + badger + spider web") == (BEE, BADGER)


def test_a_term_is_text_and_no_pattern():
    words = vocabulary(["recreational vehicle, RV, R.V."])
    assert pick(said("rxvx"), words, NOTHING, random.Random(0)) is None
    assert pick(said("r.v."), words, NOTHING, random.Random(0)).scene.target.bottom == 0


def test_two_queries_are_drawn_apart_even_if_they_are_the_same():
    assert only("bee+bee") == (BEE, BEE)
    assert pick(said("bee+bee"), WORDS, NOTHING, random.Random(0)).scene.caption == "bee & bee"
    assert len(draws("fox+fox")) == 9


def test_the_message_that_crashed_the_stream_is_harmless():
    assert only("+".join(["badger"] * 100_000)) == (BADGER, BADGER)
    assert only("+" * 100_000) is None
    assert only("badger" * sys.getrecursionlimit()) is None


@pytest.mark.parametrize("text, words", [
    ("Spider Web", "@user0: spider web"),
    ("web site", "@user0: web site"),
    ("vulpes", "@user0: vulpes vulpes"),
    ("rabbit", "@user0: angora rabbit"),
    ("internet", "@user0: internet site"),
    ("bee+tree frog", "bee & tree frog"),
    ("bee+nonsense", "@user0: bee")])
def test_captions_name_the_first_term_that_has_the_word_in_lower_case(text, words):
    assert pick(said(text), WORDS, NOTHING, random.Random(1)).scene.caption == words


def test_a_caption_takes_the_word_as_part_of_another_one():
    # "orang" is a term of its own, but the first to contain it is another.
    words = vocabulary(["orangutan, orang, orangutang"])
    assert pick(said("orang"), words, NOTHING, random.Random(0)).scene.caption == "@user0: orangutan"


def test_any_message_that_matches_can_win_a_round():
    messages = said("bee", "hello", "badger", "lol", "tree frog")
    winners = Counter(pick(messages, WORDS, NOTHING, random.Random(seed)).message.user for seed in range(300))
    assert set(winners) == {"user0", "user2", "user4"} and min(winners.values()) > 60


def test_the_same_seed_picks_the_same():
    messages = said("fox", "web+fox", "bee", "crane+site")
    first, again = ([pick(messages, WORDS, NOTHING, random.Random(seed)) for seed in range(30)] for _ in range(2))
    assert first == again and len(set(first)) > 5
    assert messages == said("fox", "web+fox", "bee", "crane+site")


def test_the_stream_starts_with_a_class_drawn_and_no_caption():
    scenes = {Chat(WORDS, seed).turn(0)[0] for seed in range(100)}
    assert {scene.caption for scene in scenes} == {""} and len({scene.target.bottom for scene in scenes}) == len(DESCRIPTIONS)


def chat_showing_bee():
    chat = Chat(WORDS)
    chat.scene = chat.scene._replace(target=Classes(FROG, FROG))
    chat.hear(Message(0, "ann", "bee"))
    assert chat.turn(0)[0] == (Classes(BEE, BEE), "@ann: bee")
    return chat


def test_a_subject_is_held_for_a_minute_while_messages_wait():
    chat = chat_showing_bee()
    chat.hear(Message(1, "bob", "badger"))
    assert chat.turn(59.9) == (chat.scene, None) and len(chat.waiting) == 1
    scene, choice = chat.turn(60)
    assert scene.target.bottom == BADGER and choice.message.user == "bob"


def test_a_round_forgets_all_messages_and_a_vain_one_does_not_hold():
    chat = chat_showing_bee()
    chat.hear(Message(1, "bob", "nonsense"))
    assert chat.turn(60)[0].target.bottom == BEE and not chat.waiting
    chat.hear(Message(61, "bob", "badger"))
    assert chat.turn(61)[0].target.bottom == BADGER


def test_only_the_last_hundred_messages_wait():
    chat = chat_showing_bee()
    chat.hear(Message(1, "bob", "badger"))
    for _ in range(100):
        chat.hear(Message(2, "eve", "spam"))
    assert chat.turn(60)[1] is None
