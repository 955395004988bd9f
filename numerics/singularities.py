"""``python -m numerics.singularities``: every zero of ``a`` in (0, 1), with proofs."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import derive
import numerics
from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table, Typeset, decimal, typeset
from derive.command.values import integer_between
from derive.tables.names import in_units, pair_name
from numerics.options.pairs import add_case_options, chosen_drifts, described
from numerics.options.shared import add_shared

if TYPE_CHECKING:
    from derive.drift import AnyDrift
    from derive.pair import Pair
    from numerics.certified.balls import Enclosure
    from numerics.certified.singularities import Singularities, Singularity

_LARGEST_DEGREE = 10**9  # of matched pairs, for which no polynomial is written out
_SHORT = 10  # most digits of the less important columns where people read them
_NONE: dict[str, object] = dict.fromkeys(
    ("mu", "radius", "b", "b_radius", "diverges", "constant", "constant_radius", "multiplicity")
)  # the row of a pair that provably has none


@dataclass(frozen=True)
class Found:
    """A pair with its drift, and every singularity: an incomplete list is an error."""

    pair: "Pair"
    drift: "AnyDrift"
    singularities: "Singularities"

    @property
    def record(self) -> dict[str, Any]:
        """The pair with its singularities as data."""
        listed = [
            _data(s) | {"interval": [str(end) for end in s.interval]} for s in self.singularities
        ]
        return self.described | {"singularities": listed, "took": asdict(self.singularities.took)}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A record a singularity."""
        common = self.described | {"count": len(self.singularities)}
        common |= {"took": asdict(self.singularities.took)}
        return [common | data for data in map(_data, self.singularities)] or [common | _NONE]

    @property
    def described(self) -> dict[str, Any]:
        """What rows and record begin with."""
        return described(self.pair, self.drift) | {"certainty": "certified", "complete": True}


def _data(s: "Singularity") -> dict[str, object]:
    return {
        "mu": s.mu.mid,
        "radius": s.mu.radius,
        "b": s.b.mid,
        "b_radius": s.b.radius,
        "diverges": s.diverges,
        "constant": s.constant and s.constant.mid,
        "constant_radius": s.constant and s.constant.radius,
        "multiplicity": s.multiplicity,
    }


def _shown(number: "Enclosure", digits: int) -> Typeset:
    """The first digits of an enclosed number, which has so many and perhaps more."""
    from numerics.certified.balls import enclosure

    return decimal((number if digits <= _SHORT else enclosure(number.ball(), _SHORT)).mid)


def _cells(found: Found, digits: int) -> list[tuple[Any, ...]]:
    name, cells = pair_name(found.pair), []
    for s in found.singularities:
        fate = "diverges" if s.diverges else "finite, 1/b"
        if s.multiplicity > 1:
            fate += f", as the power {2 * s.multiplicity}"
        constant = s.constant and _shown(s.constant, digits)
        cells.append((name, decimal(s.mu.mid), _shown(s.b, digits), fate, constant))
    return cells or [(name, "none: proved", None, "finite", None)]


def _table(found: Sequence[Found], digits: int) -> Table:
    pair = found[0].pair
    labels = f"{pair.labels.text} labels, {pair.loss} loss"
    units = {in_units(each.drift.normalization) for each in found}
    mixed = len(units) > 1
    several = Typeset("a and b as each row says", "$a$ and $b$ as each row says")
    own = several if mixed else units.pop()
    note = prose("Every list is proved complete; every digit shown is certified to one unit in the "
                 "last place.")  # fmt: skip
    return Table(
        name="singularities",
        title=Typeset(
            f"Zeros of a(μ) in (0,1): {labels}, {own.plain}",
            rf"Zeros of $a(\mu)$ in $(0,1)$: {typeset(labels)}, {own.latex}",
        ),
        columns=(
            "pair",
            Typeset("zero μ*", r"$\mu_\star$"),
            Typeset("b(μ*)", r"$b(\mu_\star)$"),
            Typeset("escape time", r"$\tau$"),
            Typeset("C in τ ≈ C/(μ-μ*)²", r"$C$ in $\tau \approx C/(\mu-\mu_\star)^2$"),
            *(["units"] if mixed else []),
        ),
        rows=tuple(
            (*row, in_units(each.drift.normalization)) if mixed else row
            for each in found
            for row in _cells(each, digits)
        ),
        notes=(note,),
    )


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.singularities",
        "Find, with proof, every zero of the drift coefficient a in (0, 1), where the escape time "
        "may diverge.",
        (
            "--degree 5",
            "--degree 3:21 --digits 50",
            "--degree 3,5,10 --format json",
            "--degree 1000,1000000",
            "--degree 1:12 --labels squared --format latex --output singularities.tex",
            "--activation erf --activation 'He3 + He4'",
            "--teacher relu --student tanh --labels 'y**2 - y'",
            "--degree 3:21 --certificate certificates.json",
        ),
    )
    add_case_options(parser, largest_degree=_LARGEST_DEGREE)
    parser.add_argument(
        "--digits",
        type=integer_between(1, 10_000),
        default=30,
        help="significant digits of every number, all certified; tables show at most "
        f"{_SHORT} of b and C (default: %(default)s)",
    )
    add_shared(parser, "certificate")
    return parser


def _insist_on_certificates(options: Namespace) -> None:
    """Refuse pairs without certificates before any work."""
    from numerics.certified.certificates import certifiable, insist_on_degree

    for degree in options.degree or ():
        insist_on_degree(degree)
    for text in filter(None, [*(options.activation or ()), options.teacher, options.student]):
        certifiable(derive.parse_activation(text))


def _certified(found: Sequence[Found], source: str) -> bytes:
    from numerics.certified.certificates import Zeros, certificate, document

    pairs = progress(found, "certificates")
    return document([certificate(Zeros(f.singularities, f.pair, f.drift)) for f in pairs], source)


def _action(options: Namespace) -> Report:
    if options.certificate:
        _insist_on_certificates(options)
    found = []
    for derived in progress(chosen_drifts(options), "pairs"):
        pair, drift = derived()
        found.append(Found(pair, drift, numerics.find_singularities(drift, options.digits)))
    rows = [row for each in found for row in each.rows]
    records = [each.record for each in found]
    files = {options.certificate: _certified(found, options.source)} if options.certificate else {}
    return Report(records, [_table(found, options.digits)], "certified", rows, files)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
