"""``python -m derive``: the commands of this package."""

import sys

from derive.command.group import Group

main = Group(
    "python -m derive",
    "Exact mathematics of LoRA fine-tuning on single-index models.",
    {"tables": "derive.tables.__main__"},
)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["--help"]))
