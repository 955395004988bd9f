"""``python -m numerics``: the commands of this package."""

import sys

from derive.command.group import Group

main = Group(
    "python -m numerics",
    "The expressions of derive made certified and fast: proofs, simulations, figures, the ledger.",
    {
        "singularities": "numerics.singularities",
        "escape": "numerics.escape",
        "exit": "numerics.exit",
        "flow": "numerics.flow",
        "labels": "numerics.labels",
        "fate": "numerics.fate",
        "budget": "numerics.budget",
        "simulate": "numerics.simulate",
        "hermite": "numerics.hermite",
        "kernel": "numerics.kernel",
        "mean": "numerics.mean",
        "report": "numerics.report",
        "figures": "numerics.figures.__main__",
        "claims": "numerics.claims.__main__",
        "explorer": "numerics.explorer.__main__",
        "reproduce": "numerics.reproduce.__main__",
    },
)

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["--help"]))
