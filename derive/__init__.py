"""Exact mathematics of LoRA fine-tuning on single-index models.

The public names are listed in ``__init__.pyi``, which type checkers read and which this file loads
lazily: importing the package costs nothing until a name is used. Everything here is exact; nothing
here uses floating point or imports another package of the project.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
