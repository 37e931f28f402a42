"""The words that the chat of 2015 understood, with its quirks.

* Of classes with equal descriptions (VGG-16 has two called ``crane``) only the last can be reached.
* A word of several descriptions stands for all of them, and counts as often as it occurs: of two
  classes, ``spider web, spider's web`` is drawn for ``web`` twice as often as ``web site``.
* Stop words name no class, not even where one is a whole term.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lsd_repro.network.classes import terms

# The hundred commonest words of the Oxford English Corpus, and what is left of "don't".
STOP_WORDS = frozenset("""
    a about after all also an and any as at back be because but by can come could day do even first for from get
    give go good have he her him his how i if in into it its just know like look make me most my new no not now of
    on one only or other our out over people say see she so some t take than that the their them then there these
    they think this time to two up us use want way we well what when which who will with work would year you your
""".split())


class Vocabulary(NamedTuple):
    """What the chat can ask for.

    Attributes
    ----------
    descriptions : tuple of str
        One for each class.
    by_term, by_word : dict
        From a term, and from a word of one, in lower case, to the list of classes that it
        stands for; a class occurs as often as the word does in its description.
    """

    descriptions: tuple[str, ...]
    by_term: dict[str, list[int]]
    by_word: dict[str, list[int]]


def vocabulary(descriptions: Sequence[str]) -> Vocabulary:
    """Build the Vocabulary of a network.

    2015 quirk: weighted lot.  2015 quirk: equal descriptions collapse.  2015 quirk: stop words.

    Parameters
    ----------
    descriptions : sequence of str
        For each class a WordNet lemma list, such as ``spider web, spider's web``.

    Returns
    -------
    Vocabulary
    """
    last = {description: index for index, description in enumerate(descriptions)}
    by_term: dict[str, list[int]] = {}
    by_word: dict[str, list[int]] = {}
    for description, index in last.items():
        for spoken, table in ((terms(description), by_term), (re.findall(r"[\w']+", description), by_word)):
            for name in spoken:
                if name.lower() not in STOP_WORDS:
                    table.setdefault(name.lower(), []).append(index)
    return Vocabulary(tuple(descriptions), by_term, by_word)


def candidates(query: str, words: Vocabulary) -> Sequence[int]:
    """The classes that a query stands for: those of the whole term, else those of the word; may be empty.

    2015 quirk: whole queries only.  2015 quirk: terms as patterns (text here).
    """
    query = query.lower()
    return words.by_term.get(query) or words.by_word.get(query, [])


def term_shown(query: str, description: str) -> str:
    """What a caption calls a class: the first of its terms, in lower case, that the query is a part of.

    2015 quirk: first term with the word in it.
    """
    query = query.lower()
    return next((term for term in terms(description.lower()) if query in term), "")
