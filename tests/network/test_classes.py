"""Names of classes -> indices."""

import pytest

from lsd_repro.errors import InputError
from lsd_repro.material import shipped
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.network.classes import caption_name, resolve, terms
from lsd_repro.presets import DEMO
from lsd_repro.program2015 import PUBLISHED, STILLS

DESCRIPTIONS = (
    "goldfish, Carassius auratus",                      # 0
    "king penguin, Aptenodytes patagonica",             # 1
    "crane",                                            # 2 the bird
    "spider web, spider's web",                         # 3
    "crane",                                            # 4 the machine
    "Persian cat",                                      # 5
    "lesser panda, red panda, panda, bear cat, cat bear",  # 6
    "giant panda, panda bear",                          # 7
    "volcano",                                          # 8
    "web site, website, internet site, site",           # 9
    "golden retriever",                                 # 10
)


def test_terms_are_what_stands_between_commas():
    assert terms("spider web,  spider's web ,, cobweb") == ["spider web", "spider's web", "cobweb"]


def test_caption_name_is_the_first_term():
    assert caption_name("king penguin, Aptenodytes patagonica") == "king penguin"


@pytest.mark.parametrize("query, index", [
    ("goldfish", 0), ("carassius AURATUS", 0), ("  Spider's web ", 3), ("persian cat", 5),  # whole terms
    ("panda", 6),                        # a whole term of one goes before a word of another
    ("giant panda, panda bear", 7),      # as 'lsd-repro classes' shows it
    ("penguin", 1), ("retriever", 10), ("giant", 7),  # single words
    ("spider's", 3), ("volc", 8), ("king pen", 1), ("aure", None), ("pengu", 1), ("golden r", 10),  # beginnings
    ("4", 4), (" 10 ", 10), ("0", 0),    # indices
])
def test_resolves_terms_then_words_then_beginnings(query, index):
    if index is None:
        with pytest.raises(InputError):
            resolve(query, DESCRIPTIONS)
    else:
        assert resolve(query, DESCRIPTIONS) == index


@pytest.mark.parametrize("query, candidates, absent", [
    ("crane", ["2 (crane)", "4 (crane)"], []),                         # the same term twice
    ("cat", ["5 (Persian cat)", "6 (lesser panda"], ["7 ("]),          # the same word
    ("bear", ["6 (lesser", "7 (giant"], []),
    ("gold", ["0 (goldfish", "10 (golden"], []),                       # the same beginning
])
def test_ambiguous_names_list_the_candidates(query, candidates, absent):
    with pytest.raises(InputError) as caught:
        resolve(query, DESCRIPTIONS)
    message = str(caught.value)
    assert repr(query) in message and "fits 2 classes" in message
    assert all(candidate in message for candidate in candidates)
    assert not any(other in message for other in absent)


def test_many_candidates_are_cut_short():
    with pytest.raises(InputError, match=r"fits 40 classes, 0 \(beast 0\).* and 30 more") as caught:
        resolve("beast", [f"beast {i}" for i in range(40)])
    assert "(beast 10)" not in str(caught.value)


@pytest.mark.parametrize("query, close", [("golfish", "0 (goldfish"), ("vulcano", "8 (volcano)"),
                                          ("pengiun", "1 (king penguin"), ("Spyder Web", "3 (spider web")])
def test_unknown_names_bring_close_ones(query, close):
    with pytest.raises(InputError) as caught:
        resolve(query, DESCRIPTIONS)
    assert f"no class is called {query!r}; did you mean" in str(caught.value)
    assert close in str(caught.value) and "lists all" in str(caught.value)


def test_name_like_no_other_says_how_to_list_them():
    with pytest.raises(InputError, match="no class is called 'xyzzy'; 'lsd-repro classes' lists all"):
        resolve("xyzzy", DESCRIPTIONS)


@pytest.mark.parametrize("query", ["11", "-1", "99999999999999999999"])
def test_index_out_of_range_names_the_range(query):
    with pytest.raises(InputError, match=f"no class {query}: the indices are 0 to 10"):
        resolve(query, DESCRIPTIONS)


@pytest.mark.parametrize("query", ["", "   "])
def test_empty_names_are_refused(query):
    with pytest.raises(InputError, match="empty class name"):
        resolve(query, DESCRIPTIONS)


def test_every_class_of_ilsvrc_is_reached_by_its_description_but_for_the_two_cranes():
    # Also those all of whose terms others have as well: harp, maillot, missile, partridge, cardigan.
    _, descriptions = ilsvrc.read()
    for index, description in enumerate(descriptions):
        if description != "crane":
            assert resolve(description, descriptions) == index
    with pytest.raises(InputError, match=r"fits 2 classes, 134 \(crane\), 517 \(crane\)"):
        resolve("crane", descriptions)
    with pytest.raises(InputError, match="'grass snake' fits 2 classes, 55 .*, 57 "):
        resolve("grass snake", descriptions)


def test_what_is_published_and_what_programs_show_are_terms_of_one_class_each():
    _, descriptions = ilsvrc.read()
    asked = [name for _, query in PUBLISHED.values() for name in query.split("+")] + [*DEMO.classes, *STILLS.classes]
    for name in asked:
        assert [i for i, own in enumerate(descriptions) if name in own.split(", ")] == [resolve(name, descriptions)]


def test_the_network_that_ships_has_the_thousand_classes_of_ilsvrc_in_their_order():
    network = matconvnet.read(shipped.network())
    assert (network.names, network.descriptions) == ilsvrc.read()
    assert len(network.weights[-1]) == 1000
    assert shipped.network().stat().st_size <= 25_000_000
