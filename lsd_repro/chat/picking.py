"""How the chat of 2015 chose: `pick` is one round, `Chat` holds what rounds leave behind.

The rules, odd as some are:

* The last hundred messages count.  A round looks at them in random order; the first that names
  a class wins, and all the others are forgotten.  So are all if none does.
* ``+`` splits a message into queries.  The first two that name a class count, first for the bottom half of
  the picture, second for the top.
* A query that could mean a class being shown is passed over, whatever else it could mean.
* Of several classes that a query could mean, one is drawn by lot, weighted as in `lsd_repro.chat.vocabulary`.
* Two queries are drawn independently: ``bee+bee`` is a choice, and its caption ``bee & bee``.
* A subject is held for 60 seconds; a round that finds none doesn't restart them.
* At the start a class drawn at random is shown, without a caption.
"""

import random
from collections import deque
from collections.abc import Collection
from typing import NamedTuple, Optional

from lsd_repro.chat.messages import Message
from lsd_repro.chat.vocabulary import Vocabulary, candidates, term_shown
from lsd_repro.film.caption import caption
from lsd_repro.film.schedule import Scene
from lsd_repro.program2015 import HALVES, HOLD_SECONDS, QUEUE_LENGTH
from lsd_repro.step.target import Classes


class Choice(NamedTuple):
    """What a round chose.

    Attributes
    ----------
    scene : Scene
        What to show from now on.
    message : Message
        Who asked for it.
    """

    scene: Scene
    message: Message


def pick(messages: Collection[Message], words: Vocabulary, shown: Collection[int],
         rng: random.Random) -> Optional[Choice]:
    """One round: which of the messages is shown next.

    2015 quirk: rounds forget.  2015 quirk: two of many.  2015 quirk: passed over while shown.

    Parameters
    ----------
    messages : sequence of Message
    words : Vocabulary
    shown : collection of int
        The classes being shown.
    rng : random.Random
        The draw depends on its state and on the other arguments alone.

    Returns
    -------
    Choice or None
        None if no message names a class that isn't shown.
    """
    for message in rng.sample(list(messages), len(messages)):
        found = []
        for query in filter(None, map(str.strip, message.text.split("+"))):
            meant = candidates(query, words)
            if meant and not set(meant).intersection(shown):
                drawn = rng.choice(meant)
                found.append((drawn, term_shown(query, words.descriptions[drawn])))
            if len(found) == HALVES:
                break
        if found:
            classes, names = zip(*found)
            words_shown = caption(names) if len(names) > 1 else f"@{message.user}: {names[0]}"
            return Choice(Scene(Classes(classes[0], classes[-1]), words_shown), message)
    return None


class Chat:
    """The messages that wait, and what is shown.

    2015 quirk: queue of a hundred.  2015 quirk: held for 60 s.
    2015 quirk: no caption until somebody is heard.

    Parameters
    ----------
    words : Vocabulary
    seed : int
    hold : float
        Seconds that a subject is held.

    Attributes
    ----------
    scene : Scene
        What is shown.
    waiting : collections.deque of Message
        At most 100; one more, and the oldest is forgotten.
    held_until : float
        No round takes place before this time.
    """

    def __init__(self, words: Vocabulary, seed: int = 0, hold: float = HOLD_SECONDS) -> None:
        self.words, self.hold = words, hold
        self._rng = random.Random(seed)
        first = self._rng.randrange(len(words.descriptions))
        self.scene = Scene(Classes(first, first), "")
        self.waiting: deque[Message] = deque(maxlen=QUEUE_LENGTH)
        self.held_until = -float("inf")

    def hear(self, message: Message) -> None:
        """Let a message wait for the next round."""
        self.waiting.append(message)

    def turn(self, now: float) -> tuple[Scene, Optional[Choice]]:
        """What to show at the time `now` (seconds), after a round if it is time for one.

        2015 quirk: rounds forget.

        Returns
        -------
        Scene
        choice : Choice or None
            What the round chose, if there was one and it chose something.
        """
        if now < self.held_until:
            return self.scene, None
        choice = pick(self.waiting, self.words, set(self.scene.target.numbers), self._rng)
        self.waiting.clear()
        if choice:
            self.scene, self.held_until = choice.scene, now + self.hold
        return self.scene, choice
