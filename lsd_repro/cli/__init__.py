"""The ``lsd-repro`` command line.

====================  ======================================================
``main.py``           options
``commands.py``       what each command does
``sweep_options.py``  the options of a sweep, checked as those of a film
``doctor.py``         what is here, and what is missing
====================  ======================================================
"""
