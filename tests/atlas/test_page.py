"""The page: what it says, that nothing in it can be taken for HTML, and what its search goes by."""

import re
from html.parser import HTMLParser

import pytest

from lsd_repro.atlas import page

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def record(name="a-dream", caption="king penguin", descriptions=("king penguin, Aptenodytes patagonica",), target=3.0,
           **settings):
    return {"name": name, "digest": name, "settings": {"classes": caption, "seed": 0, "prior-strength": 2.0, **settings},
            "descriptions": list(descriptions), "terms": {"target": target, "prior_term": 4.0, "loss": 1.0}, "seconds": 1.25,
            "picture": {"size": [264, 256], "sha256": ""}, "parameters": {}}


class Elements(HTMLParser):
    """All start tags of a page with their attributes, and its texts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_it_shows_each_dream_with_its_files_and_loads_pictures_as_they_come_into_sight():
    many = [record(f"dream-{index}", seed=index) for index in range(1000)]
    html = page.page(many, 1200, {})
    found = Elements(html)
    shown = [image for image in found.of("img") if "src" in image]
    assert [image["src"] for image in shown] == [f"thumbnails/dream-{index}.jpg" for index in range(1000)]
    assert all(image["loading"] == "lazy" and image["width"] == "264" and image["alt"] for image in shown)
    links = {link["href"] for link in found.of("a")}
    assert links == {file for index in range(1000) for file in (f"pictures/dream-{index}.png", f"records/dream-{index}.json")}
    assert "1000 of 1200 are done" in html and len(html) < 2_000_000


def test_it_needs_nothing_but_what_lies_beside_it():
    html = page.page([record()], 1, {})
    assert not re.search(r"(?:src|href|url\(|import)[^>]{0,3}(?:https?:|//)", html) and "{%" not in html and "{{" not in html
    assert not [link for link in Elements(html).of("link") + Elements(html).of("script") if link]


def test_hostile_texts_stay_texts():
    harmless = Elements(page.page([record(), record("other", seed=1)], 2, {"x": "y"}))
    for place in ({"caption": HOSTILE}, {"descriptions": [HOSTILE]}, {"start": HOSTILE}, {HOSTILE: "1"}):
        html = page.page([record(**place), record("other", seed=1)], 2, {HOSTILE: HOSTILE})
        found = Elements(html)
        assert len(found.of("script")) == len(harmless.of("script")) == 1
        assert len(found.of("img")) == len(harmless.of("img")) and not [tag for tag in found.tags if "onerror" in tag[1]]
        assert HOSTILE in "".join(found.texts)
    html = page.page([record(name="../../x?<b>")], 1, {})
    assert Elements(html).of("img")[0]["src"] == "thumbnails/../../x%3F%3Cb%3E.jpg"


def test_a_filter_for_each_setting_in_which_dreams_differ():
    records = [record(seed=seed, **{"prior-strength": strength}) for seed in (10, 9) for strength in (10.0, 2.5)]
    assert page.swept(records) == {"seed": ["9", "10"], "prior-strength": ["2.5", "10"]}
    records.append(record(seed=9, octaves="2:1 1:2"))
    assert page.swept(records)["octaves"] == ["\N{EN DASH}", "2:1 1:2"]
    assert page.swept(records[:1]) == {}
    html = page.page(records, 5, {})
    assert [select.get("data-axis") for select in Elements(html).of("select")] == ["0", "1", "2", None]
    cards = [card for card in Elements(html).of("li") if "data-words" in card]
    assert [(card["data-axis0"], card["data-axis1"]) for card in cards] == [
        ("9", "2"), ("9", "2.5"), ("9", "10"), ("10", "2.5"), ("10", "10")]


def test_layers_have_an_activation_and_their_channels_are_in_order():
    records = [record(f"conv5-2-{channel}", f"conv5_2, channel {channel}", (), objective=f"layer:conv5_2:{channel}")
               for channel in (10, 9, 100)]
    assert page.swept(records) == {"objective": [f"layer:conv5_2:{channel}" for channel in (9, 10, 100)]}
    found = Elements(page.page(records, 3, {}))
    assert [image["src"] for image in found.of("img") if "src" in image] == [
        f"thumbnails/conv5-2-{channel}.jpg" for channel in (9, 10, 100)]
    assert found.texts.count("activation") == 3 and not {"class", "logit"} & set(found.texts)
    for word in ("conv5_2", "channel", "9", "objective=layer:conv5_2:9"):
        assert word in page.words(records[1]).split(" ")


@pytest.mark.parametrize("word", ["king", "penguin", "aptenodytes", "patagonica", "tree-frog", "frog", "spider", "web",
                                  "seed", "seed=7", "7", "prior-strength=2.5", "octaves=2:1,1:2", "1:2", "noise"])
def test_the_search_goes_by_words_of_classes_and_settings(word):
    words = page.words(record(descriptions=["king penguin, Aptenodytes patagonica", "tree-frog", "spider web, spider's web"],
                              seed=7, octaves="2:1 1:2", start="noise", **{"prior-strength": 2.5}))
    assert word in words.split(" ")


def test_failures_are_listed():
    assert "the loss is nan" in page.page([], 1, {"pizza": "frame 1: the loss is nan"})
