"""The page of an atlas in headless Chromium, from the disk."""


import pytest
from chromium import chromium
from PIL import Image
from test_page import HOSTILE, record

from lsd_repro.atlas import page

pytestmark = pytest.mark.slow

LEFT, RIGHT, ESCAPE, ENTER = "\ue012", "\ue014", "\ue00c", "\ue007"


@pytest.fixture
def browser(tmp_path):
    with chromium(tmp_path / "profile", "1280,900") as driver:
        yield driver


def test_a_visitor_searches_filters_and_looks_closer(browser, tmp_path):
    records = []
    for index in range(1000):
        caption = {7: HOSTILE, 8: "king penguin", 9: "king crab"}.get(index % 100, f"creature {index % 100}")
        records.append(record(f"dream-{index}", caption, [caption], index, seed=index // 100))
        for folder, kind in (("pictures", "png"), ("thumbnails", "jpg")):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.new("RGB", (264, 256), (index % 256, 90, 90)).save(tmp_path / folder / f"dream-{index}.{kind}")
    page.write(tmp_path, records, 1000)
    browser.get((tmp_path / "index.html").as_uri())

    def shown():
        return browser.execute_script("return shown.map((card) => card.querySelector('h2').textContent)")

    def at(name):
        return browser.find_element("id", name)

    assert at("count").text == "1000 of 1000"
    loaded = browser.execute_script("return Array.from(document.images).filter((image) => image.naturalWidth).length")
    assert 0 < loaded < 500, "only what is in sight, and some more"

    at("search").send_keys("King seed=3")
    assert shown() == ["king crab", "king penguin"] and at("count").text == "2 of 1000"
    at("search").send_keys(" penguin")
    assert shown() == ["king penguin"]
    at("search").send_keys(" nowhere")
    assert shown() == [] and at("nothing").is_displayed()
    browser.find_element("css selector", "[type=reset]").click()
    browser.find_element("css selector", "select[data-axis='0'] option[value='4']").click()
    assert len(shown()) == 100
    at("order").send_keys("s")
    assert shown()[0] == "creature 99" and len(shown()) == 100

    first = browser.find_element("css selector", "#dreams li:not([hidden]) a")
    first.send_keys(ENTER)
    large = at("large")
    assert large.is_displayed() and at("large-title").text == "creature 99" and "logit\n499.00" in large.text
    picture = large.find_element("tag name", "img")
    assert picture.get_attribute("src").endswith("pictures/dream-499.png")
    browser.switch_to.active_element.send_keys(RIGHT)
    assert at("large-title").text == "creature 98"
    browser.switch_to.active_element.send_keys(LEFT + LEFT)
    assert at("large-title").text == "creature 0", "from the first to the last"
    browser.switch_to.active_element.send_keys(ESCAPE)
    assert not large.is_displayed()
    assert HOSTILE in shown()
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_without_scripts_everything_is_there(browser, tmp_path):
    page.write(tmp_path, [record(), record("other", "pizza", ["pizza, pizza pie"], seed=1)], 2)
    html = (tmp_path / "index.html").read_text("utf-8")
    (tmp_path / "plain.html").write_text(html[:html.index("<script>")] + html[html.index("</script>"):], "utf-8")
    browser.get((tmp_path / "plain.html").as_uri())
    cards = browser.find_elements("css selector", "#dreams li")
    assert [card.find_element("tag name", "h2").text for card in cards] == ["king penguin", "pizza"]
    assert not browser.find_element("id", "controls").is_displayed() and not browser.find_element("id", "large").is_displayed()
    cards[1].find_element("tag name", "summary").click()
    assert "pizza, pizza pie" in cards[1].text
