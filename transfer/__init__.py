"""Transfer experiments on real images: ViT and LoRA (Sec. 3, App. J of the paper).

The public names are listed in ``__init__.pyi``. Nothing here is imported by ``derive`` or
``numerics``; the extra ``transfer`` holds what it needs.
"""

import sys as _sys
from pathlib import Path as _Path

import lazy_loader as _lazy_loader

import derive as _derive  # noqa: F401  (before all else: it answers interrupts in one line)
from transfer.extra import missing as _missing

# A command says so in a line, and has a help without the extra.
if not {_Path(name).stem for name in _sys.argv[:1]} & {"-m", "lora-escape"} and _missing():
    raise ImportError(_missing())

__getattr__, __dir__, __all__ = _lazy_loader.attach_stub(__name__, __file__)
