"""The page in headless Chromium: what a visitor does, and what they see."""

import time

import pytest
from chromium import chromium
from running import running
from waiting import wait_until

pytestmark = pytest.mark.slow

HOSTILE = '<img src=x onerror="document.title=1">'


class Page:
    """The page as a visitor has it."""

    def __init__(self, driver):
        self.driver = driver

    def at(self, name):
        return self.driver.find_element("id", name)

    def text(self, name):
        return self.at(name).text

    def run(self, script):
        return self.driver.execute_script(f"return {script}")

    def caption_drawn(self):
        """Whether white letters on black stand in the corner of the film."""
        def red(*area):
            return self.run(f"Array.from(at('film').getContext('2d').getImageData{area}.data).filter((_, i) => i % 4 == 0)")

        light, border = red(6, 6, 60, 20), red(6, 5, 60, 1)
        white = sum(value > 170 for value in light) / len(light)
        return 0.05 < white < 0.5 and sum(value < 80 for value in light) / len(light) > 0.8 - white and max(border) < 90


@pytest.fixture
def page(tmp_path):
    with chromium(tmp_path / "profile", "1280,1640") as driver:
        yield Page(driver)


def test_a_visitor_suggests_sees_it_dreamt_steers_and_comes_back(page, tmp_path):
    with running(tmp_path / "run", "--hold", 0) as process:
        page.driver.get(process.url)
        title = page.run("document.title")
        wait_until(lambda: page.run("Number(at('film').dataset.painted || 0) > 5"), 300)
        assert not page.caption_drawn(), "nobody has been heard yet"

        page.at("bottom").send_keys("king pen")
        assert [item.text for item in page.at("bottom-list").find_elements("tag name", "li")] == ["king penguin"]
        page.at("bottom").send_keys("\ue015\ue007")  # down, enter
        assert page.at("bottom").get_attribute("value") == "king penguin"
        page.at("top").send_keys("jellyf")  # finished when it is sent
        page.at("send").click()
        wait_until(lambda: page.text("subject") == "king penguin & jellyfish")
        begun = page.run("trace.at(-1)[0]")
        wait_until(page.caption_drawn)
        wait_until(lambda: page.run("trace.at(-1)[0]") > begun + 30)
        logits = page.run(f"trace.filter(point => point[0] > {begun}).map(point => point[2])")
        assert max(logits) > logits[0] + 3
        wait_until(lambda: page.text("logit") == page.run("trace.at(-1)[2].toFixed(2)"))

        strength = float(page.at("strength").get_attribute("value"))
        page.at("strength").send_keys("\ue014\ue014")  # right, right
        wait_until(lambda: page.run("state.strength") == strength + 1)
        page.driver.save_screenshot(str(tmp_path / "live.png"))
        assert (tmp_path / "live.png").stat().st_size > 50_000

        page.driver.refresh()
        wait_until(lambda: page.text("subject") == "king penguin & jellyfish"
                   and page.text("strength-value") == f"{strength + 1:.1f}")

        page.at("user").send_keys(HOSTILE)
        page.at("bottom").send_keys("bee")
        page.at("send").click()
        wait_until(lambda: page.text("subject").startswith("@<img src=x onerror="))
        assert page.run("document.title") == title and not page.driver.find_elements("tag name", "img")
        page.at("bottom").send_keys("no such thing")
        page.at("send").click()
        wait_until(lambda: "knows no \u201cno such thing\u201d" in page.text("note"))

        page.run("at('pause').click()")
        wait_until(lambda: page.text("veil") == "Paused")
        still = page.run("trace.at(-1)[0]")
        time.sleep(1)
        assert page.run("trace.at(-1)[0]") == still
        page.run("at('pause').click()")
        wait_until(lambda: page.run("trace.at(-1)[0]") > still)

        page.run("at('save').click()")
        wait_until(lambda: page.text("film-state") == "Download the film")
        assert [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []
