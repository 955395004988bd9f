"""Transfer experiments on real images: ViT and LoRA (Sec. 3, App. J of the paper).

Stands apart from ``derive`` and ``numerics``, and needs the extra ``transfer``.
"""

from importlib.util import find_spec as _find_spec

_missing = [name for name in ("torch", "transformers", "peft") if _find_spec(name) is None]
if _missing:
    raise ImportError(
        f"transfer needs {', '.join(_missing)}: install the extra with "
        "pip install 'lora-escape[transfer]'"
    )
