"""Many dreams at once, as a sweep asks for them, and a page to browse them.

One process submits, writes and shows how far it is (``run``); workers of Dask dream, here or on other machines.
Whatever a worker dreams depends on the dream's own parameters alone, so it matters neither which one does nor when.

===========  ==============================================================
``sweep``    a TOML file: options that are fixed, and lists that are crossed
``options``  the options of a dream, from a sweep's
``plan``     a sweep's dreams: name, parameters, and the digest that tells them apart
``worker``   what a worker does: one dream -> a PNG and what is to be said of it
``cluster``  the workers: processes of this machine, or those of a scheduler elsewhere
``store``    the folder: pictures and their records, each whole and checked before it is kept
``run``      from a plan to a folder; can be stopped, and goes on
``page``     ``index.html``: pictures, search and filters, without a network
===========  ==============================================================
"""
