"""The expressions of ``derive`` made fast and certified.

The public names are listed in ``__init__.pyi``, which type checkers read and which this file loads
lazily: importing the package costs nothing until a name is used.
"""

import lazy_loader

import derive  # noqa: F401  (before all else: an interrupt is answered in one line from there on)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
