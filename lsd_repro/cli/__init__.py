"""The ``lsd-repro`` command line: options in `main`, commands in `commands`, what is missing in `doctor`."""
