import multiprocessing
import os

import numpy as np
import pytest

from lsd_repro.live.slot import Slot

SIZE = (272, 480)


def write_on(path):
    slot = Slot(path, SIZE)
    for number in range(1, 4000):
        slot.write({"value": number % 256, "long": "x" * (number * 37 % 5000)}, np.full((*SIZE, 3), number % 256, np.uint8))
    os._exit(0)


def test_a_reader_sees_whole_pictures_with_their_state_whatever_the_writer_does(tmp_path):
    slot = Slot(tmp_path / "slot", SIZE, create=True)
    assert slot.read() is None
    process = multiprocessing.get_context("spawn").Process(target=write_on, args=(tmp_path / "slot",))
    process.start()
    seen, numbers = 0, []
    while seen < 3999:
        left = slot.read(seen)
        if left:
            seen, state, picture = left
            numbers.append(seen)
            assert (picture == state["value"]).all()
        assert process.is_alive() or slot.number == 3999
    process.join()
    assert numbers == sorted(set(numbers)) and len(numbers) > 5
    assert slot.read(seen) is None


def test_what_does_not_fit_is_refused(tmp_path):
    slot = Slot(tmp_path / "slot", SIZE, create=True)
    for state, picture in (({"x": "y" * 70_000}, np.zeros((*SIZE, 3), np.uint8)), ({}, np.zeros((*SIZE, 3))),
                           ({}, np.zeros((2, 2, 3), np.uint8))):
        with pytest.raises(ValueError):
            slot.write(state, picture)
    assert slot.number == 0
