"""Exact mathematics of LoRA fine-tuning on single-index models.

The public names are listed in ``__init__.pyi``, which type checkers read and which this file loads
lazily: importing the package costs nothing until a name is used. Everything here is exact; nothing
here uses floating point or imports another package of the project.
"""

import sys as _sys

import lazy_loader

if _sys.argv[:1] == ["-m"]:  # python -m …: what is imported for a command can be interrupted
    from derive.command.signals import leave_in_one_line

    leave_in_one_line()

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("lora-escape")
        except PackageNotFoundError:  # a checkout on the path
            return "0+unknown"
    return _public(name)
