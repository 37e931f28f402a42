"""The ``lsd-repro`` command line.

===============  ======================================================
``main.py``      options
``commands.py``  what each command does
``options.py``   those of a dream, and the spec that they make
``words.py``     the library's messages, options as they are typed
``output.py``    where it goes, and what if it can't
``doctor.py``    what is here, and what is missing
===============  ======================================================
"""
