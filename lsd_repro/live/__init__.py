"""The film as it is dreamt, on a local web page, with a chat.

Two processes: one dreams (``dreamer``), the other serves (``server``).  The first leaves
its latest picture in a ``slot`` and waits for nobody; what a film needs of a finished
frame it keeps in a ``journal``.

===========  ==============================================================
``options``  what the page is asked for
``slot``     the latest picture and state, from one process to another
``journal``  the finished frames of a live run, on disk
``dreamer``  the loop of 2015 against the clock; the only process with Theano
``player``   video frames between the optimised ones, at 25 a second
``viewers``  who is watching: back-pressure, limits, what they may ask for
``guard``    turns away other sites, and too many connections
``server``   the page, its WebSocket, the films
``irc``      the chat of an IRC channel
``saving``   makes a film of the journal, in a process of its own
``run``      starts both processes, and ends them
``page``     HTML, CSS and JavaScript, served as they are
===========  ==============================================================
"""
