"""Transfer experiments on real images: ViT and LoRA (Sec. 3, App. J of the paper).

The public names are listed in ``__init__.pyi``. Nothing here is imported by ``derive`` or
``numerics``; the extra ``transfer`` holds what it needs.
"""

import sys as _sys
from importlib.util import find_spec as _find_spec

import lazy_loader as _lazy_loader

import derive as _derive  # noqa: F401  (before all else: it answers interrupts in one line)

_missing = [
    name for name in ("torch", "transformers", "peft", "msgspec") if _find_spec(name) is None
]
if _missing:
    _message = (
        f"transfer needs {', '.join(_missing)}: install the extra, "
        "in a checkout: pip install -c constraints.txt '.[transfer]'"
    )
    if _sys.argv[:1] == ["-m"]:  # python -m transfer: a line, not a traceback
        print(_message, file=_sys.stderr)
        raise SystemExit(2)
    raise ImportError(_message)

__getattr__, __dir__, __all__ = _lazy_loader.attach_stub(__name__, __file__)
