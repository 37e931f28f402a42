"""The film as it is dreamt, on a local web page, with the chat at hand.

Two processes: one dreams (``dreamer``), the other serves (``server``).  The first leaves
its latest picture in a ``slot`` and waits for nobody; of a finished frame it keeps what
a film needs in a ``journal``.

===========  ==============================================================
``slot``     the latest picture and state, from one process to another
``journal``  the finished frames of a live run, on the disk
``dreamer``  the loop of 2015 against the clock; Theano is in this process alone
``player``   video frames between the optimised ones, at 25 a second
``viewers``  who is watching: back-pressure, limits, what they may ask for
``guard``    keeps other sites, and too many connections, away
``server``   the page, its WebSocket, the films
``irc``      the chat of an IRC channel
``saving``   makes a film of the journal, in a process of its own
``run``      starts both processes, and ends them
``page``     HTML, CSS and JavaScript, served as they are
===========  ==============================================================
"""
