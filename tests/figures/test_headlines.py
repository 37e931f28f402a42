"""What the title of a lesson's figure states is so in what it draws."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_network import small_network

from lsd_repro.figures import drawing, network, objective, report, scales, stills, transition, update, zoom
from lsd_repro.network.receptive import layer_table

PICTURE = np.random.default_rng(0).uniform(0, 255, (40, 60, 3))


def headline(figure):
    """Of a figure that draws without complaint, all text within its page."""
    figure.canvas.draw()
    page = figure.bbox
    for text in [figure._suptitle, *(axes.title for axes in figure.axes)]:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and box.y1 <= page.y1 + 1
    return " ".join(figure._suptitle.get_text().split())


@pytest.fixture
def layers():
    # Its logits see 212 + 32 pixels.
    return layer_table(small_network(np.random.default_rng(0)), 300, 331)


def test_receptive_field_of_a_logit(layers):
    picture = np.zeros((300, 331, 3))
    text = headline(network.receptive_fields(picture, layers, 4, 4))
    assert "depends on 244x244 pixels" in text and "32 further on: they share 87%" in text


def test_where_the_gradient_lies(layers):
    gradient = np.zeros((100, 100, 3))
    gradient[40:60, 40:60] = 1
    text = headline(network.logit_sight(np.zeros((100, 100, 3)), gradient, (0, 0, 100, 100), shares=(1.0,)))
    assert "100% of this logit's gradient lies in the middle 20x20 pixels of the 100x100" in text


def test_largest_logit(layers):
    maps = {"cup": np.zeros((8, 9)), "plate": np.zeros((8, 9))}
    maps["plate"][2, 5] = 7.0
    text = headline(network.logit_maps(np.zeros((300, 331, 3)), maps, layers[-1]))
    assert "largest logit is 7.0, of plate, in row 3 and column 6" in text


def test_pushes_over_their_range():
    text = headline(objective.pushes(np.arange(3), {"a": np.full(3, 0.5), "b": np.array([0.0, 1.0, 0.25])}))
    assert "a 0.5 throughout; b 0 to 1" in text


def test_the_highest_logit_and_whoever_raises_it():
    pictures = {"logit": PICTURE, "probability": PICTURE}
    text = headline(objective.dreams(PICTURE, pictures, {"logit": 1.0, "probability": 2.0}, {"logit": 0.1, "probability": 0.2}))
    assert "ends at 1 where the logit is raised, at 2 where the probability is" in text


def test_when_the_probability_passes_one_half():
    rises = {"logit": [0.1, 0.4, 0.6], "probability": [0.1, 0.2, 0.3]}
    text = headline(objective.rise(rises, rises, {name: values[:-1] for name, values in rises.items()}))
    assert text.endswith("raising the logit in 2 steps, raising the probability never")


def test_who_made_the_odds_rise():
    text = headline(objective.odds({"logit": 9.0, "log-likelihood": 4.0, "probability": 0.1},
                                   {"logit": 3.0, "log-likelihood": -4.0, "probability": 0.2}))
    assert text.endswith("logit 0%, log-likelihood 50%, probability (hardly a rise)")


def test_where_energies_push_hardest():
    z = np.linspace(0, 4, 401)
    student, gaussian = 2 * z / (1 + z ** 2), 2 * z
    text = headline(scales.penalty(z, {"Student-t": np.log1p(z ** 2), "Gaussian": z ** 2},
                                   {"Student-t": student, "Gaussian": gaussian}))
    assert "at 1 under the Student-t" in text and "at 4 under the Gaussian (the end of the axis)" in text


def test_scales_that_notice_a_disturbance():
    rises = {1: np.array([3.0, 1.0]), 16: np.array([0.5, 0.7])}
    text = headline(scales.disturbances(dict.fromkeys(rises, PICTURE), (1, 8), rises))
    assert "noise of 1 px at scale 1; noise of 16 px at scale 8" in text


def test_least_energy_by_scale():
    text = headline(scales.energy_by_scale((1, 4, 8), {"one": np.array([1.0, 5, 5]), "all": np.array([2.0, 3, 3])}))
    assert "one, at 1; all, at 4, 8" in text


def test_pixels_that_the_filters_cover():
    text = headline(scales.pyramid({1: PICTURE, 4: PICTURE}, {1: np.ones((9, 9)), 4: np.full((5, 5), 2.0)}, 8))
    assert "cover 8 to 32 pixels, and the mean energy goes from 1.00 to 2.00" in text


def test_weight_of_the_newest_gradient():
    text = headline(update.memory({"2015": 0.9, "published": 0.1}))
    assert "90% of the mean in 2015, 10% of the mean in published" in text


def test_losses_reached():
    text = headline(update.trajectories({"a": [3, 2.0], "b": [3, 1.0]}, {"a": [1, 1], "b": [1, 1]},
                                        {"a": np.array([0.5]), "b": np.array([0.1])}))
    assert "2.0 by a, 1.0 by b" in text


def test_lowest_loss_of_each_update():
    text = headline(update.by_rate((0.5, 1, 2), {"a": [3.0, 1.0, 2.0], "b": [-1.0, 0.0, 4.0]}))
    assert text == "Lowest loss: 1.0 by a at 1 times its rate, -1.0 by b at 0.5 times its rate"


def test_turns_of_single_values():
    up_and_down = [PICTURE, PICTURE + 5, PICTURE, PICTURE + 5]
    text = headline(update.paths({"a": up_and_down, "b": [PICTURE + i for i in range(4)]}, [(0, 0), (3, 5)]))
    assert "2 values of the picture turn 4 times under a, 0 times under b" in text


def test_values_beyond_black_and_white():
    free = np.array([-100.0, 50, 100, 355]).reshape(1, -1, 1)
    text = headline(update.clip(np.clip(free, 0, 255), free, {"with": np.ones(2), "without": np.zeros(2)}))
    assert "50.0% of the values" in text and "as far as -100 and 355" in text


def test_area_that_the_zoom_keeps():
    corners = np.array([[14.75, 9.75], [44.25, 9.75], [44.25, 29.25], [14.75, 29.25]])
    assert "keeps 25% of the picture's area, turned by 1.9 degrees" in headline(zoom.zoomed(PICTURE, PICTURE, corners, 1.9))


def test_decibels_at_the_finest_frequency():
    frequencies = np.geomspace(1 / 64, 0.46, 5)
    text = headline(zoom.spectra(frequencies, {"photo": np.zeros(5), "zoomed": -np.arange(5.0)}, "photo"))
    assert "At 0.46 cycles per pixel, against photo: zoomed -4.0 dB" in text


def test_detail_in_common():
    pairs = {"there and back": np.array([1.0, 0.75]), "anew": np.array([0.5, 0.25])}
    text = headline(zoom.common((0.1, 0.2), pairs, 1))
    assert text == "In common at 0.20 cycles per pixel: there and back, 75%; anew, 25%"


def test_weakest_video_frame():
    text = headline(zoom.sharpness([0, 10, 20], [30.0, 22.0, 28.0], 0.4))
    assert "weakest at video frame 10, 8.0 dB below" in text


def test_losses_that_jump_at_new_frames():
    terms = [SimpleNamespace(loss=loss, class_term=loss, prior_term=0) for loss in (5, 1, 4, 0, -1, -2)]
    assert "At 1 of 2 new frames the loss jumps up; the jumps are of -1.0 to 3.0" in headline(zoom.losses(terms, 2))


def test_strip_places_every_picture():
    figure = drawing.strip("three pictures", {f"picture {i}": PICTURE for i in range(3)}, columns=2)
    assert headline(figure) == "three pictures"
    assert [axes.get_title() for axes in figure.axes] == ["picture 0", "picture 1", "picture 2", ""]


def test_where_each_strength_ends():
    text = headline(stills.strengths({"1": [0, 5.0], "2": [0, 3.0]}, {"1": [4.0, 4.5], "2": [4.0, 4.25]}))
    assert text == "Before the last step: 1: logit 5.0, energy 4.50; 2: logit 3.0, energy 4.25"


def test_a_headline_of_the_report_leaves_its_legend_readable():
    values = np.random.default_rng(0).normal(size=(3, 5))
    figure = report.headed(report.energies((1, 4, 8, 16, 32), values, values), "Energies of ours against 2015's")
    assert headline(figure).startswith("Energies of ours")
    (legend,) = figure.legends
    assert not legend.get_window_extent().overlaps(figure._suptitle.get_window_extent())


@pytest.fixture
def transition_numbers():
    def arm(value, low, high, size):
        return {"correlation": {0: [value - 0.1] * 3, 2: [value, low, high]}, "coherence": [[value, low, high]] * 3,
                "size": [size, size - 1, size + 1], "size of theirs": [20.0, 19.0, 21.0]}

    return {"target": "pizza", "wrong": ["bee", "lion"], "frequencies": [1 / 60, 1 / 8, 0.4],
            "zoom": {192: [0.8, 0.7, 0.9], 193: [0.9, 0.8, 1.0], 194: [0.7, 0.6, 0.8]},
            "arms": {"pizza": arm(0.5, 0.4, 0.6, 18.0), "ceiling": arm(0.9, 0.88, 0.92, 18.0), "bee": arm(0.1, 0.05, 0.15, 17.0),
                     "lion": arm(0.2, 0.1, 0.25, 17.0)}}


@pytest.mark.parametrize("low, said", [(0.4, True), (0.2, False)])
def test_a_transition_names_the_class_only_if_intervals_are_apart(low, said, transition_numbers):
    transition_numbers["arms"]["pizza"]["correlation"][2][1] = low
    pictures = {"before": PICTURE, "theirs": PICTURE + np.eye(40, 60)[..., None], "ours": PICTURE}
    for figure in (transition.transition(pictures, transition_numbers, "ceiling", 2),
                   transition.agreement(transition_numbers, "ceiling", 2)):
        text = headline(figure)
        assert text.startswith("The picture itself says pizza. ") == said
        assert text.endswith("a blur of 2 pixels: 0.50 towards pizza, 0.10 to 0.20 towards 2 other classes, 0.90 at best")


def test_the_zoom_that_comes_nearest_and_the_sizes(transition_numbers):
    text = headline(transition.steps_and_zoom(transition_numbers, ["pizza", "bee"]))
    assert "Zoomed by 193 video frames" in text and "ours 18.0 grey levels, 2015's 20.0" in text


def test_ways_are_counted_by_where_zero_lies():
    ways = {"a": [0.3, 0.2, 0.4], "b": [0.1, 0.05, 0.2], "c": [0.0, -0.1, 0.1], "d": [-0.2, -0.3, -0.1]}
    asked = [{"subject": "steps", "measure": "direction", "differences": ways},
             {"subject": "steps", "measure": "size", "differences": {"a": [0.3, 0.2, 0.4]}}]
    text = headline(transition.differences(asked, "direction"))
    assert text == ("By direction, 2 of 4 other ways are further from 2015's picture than 2015's own, 1 are nearer, and "
                    "1 can't be told from it")


def test_what_the_steps_changed_is_shown_about_grey():
    figure = transition.changes(PICTURE, {"one": PICTURE + 20, "other": PICTURE})
    assert headline(figure).startswith("1/4 of the pictures' width and height.")
    shown = [axes.images[0].get_array() for axes in figure.axes[4:]]
    np.testing.assert_allclose(shown[0], 148 / 255)
    np.testing.assert_allclose(shown[1], 128 / 255)


def test_the_close_up_is_where_most_changed():
    change = np.zeros((40, 60, 3))
    change[22:28, 41:50] = 5
    change[3, 3] = 9
    rows, columns = transition.busiest(change, 10, 15)
    assert rows.stop - rows.start == 10 and columns.stop - columns.start == 15
    assert rows.start <= 22 and rows.stop >= 28 and columns.start <= 41 and columns.stop >= 50
