"""The ``lsd-repro`` command line.

===============  ======================================================
``main.py``      options
``commands.py``  what each command does
``options.py``   those of a dream, and the spec that they make
``doctor.py``    what is here, and what is missing
===============  ======================================================
"""
