r"""What a report says of a pair: a verdict, formulas, curves, singularities, samples, a check.

Each section says how sure it is. Where something cannot be found, the section gives the reason and
the others stand. The samples come from the law of the exit time, a limit; the check is a simulation
and supports that law, no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

from sympy import Expr, latex

from derive.constants import decimal_text, definitions, pair_in_constants
from derive.drift import AnyDrift
from derive.errors import InputError, LoraEscapeError, Undecided
from derive.escape import escape_limit
from derive.gaussian import NoClosedForm
from derive.notation import in_latex
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.plane import PlaneDrift
from derive.symbols import mu
from derive.tables.names import labelled_name
from numerics.certified.escape import escape_curve
from numerics.certified.singularities import Singularities, Singularity, find_singularities
from numerics.dynamics.exit_law import ExitLaw, exit_law
from numerics.figures.caption import number, shown_pair
from numerics.figures.curves import draw_curves
from numerics.reported.figure import draw_law
from numerics.simulation.design import Simulation
from numerics.simulation.exits import ks_bound, ks_distance, quantile
from numerics.simulation.run import run_simulation

Member = tuple[Pair, AnyDrift]
COMPARED = ("relu", "gelu", "erf")
_DIGITS = 15  # of singularities
_STRENGTHS = ("0.1", "0.3", "0.5", "0.7", "0.9")
_SHARES = (0.5, 0.9, 0.99)  # of runs that have left
_CHECKED = (0.1, 0.5, 0.9)  # quantiles that a simulation is compared at
_LAST = 0.999  # the share of runs that it waits for
_MOST_STEPS = 10**8  # of all runs of the check together
_HIGHEST = 6  # the degree of polynomials whose exit law is computed: others take a minute or more


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Fields: ``title``; ``certainty``, one of the badges, or nothing; ``text``, with formulas between
    dollars; ``formulas``, LaTeX to display; ``head`` and ``rows`` of a table, text like ``text``,
    where the last cell of a short row takes the room of those that are missing;
    ``figure``, a file of SVG, with ``alt`` in words; ``sources``, to copy, each with a name.
    """

    title: str
    certainty: str = ""
    text: str = ""
    formulas: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    figure: bytes = b""
    alt: str = ""
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a report is of: the pair; ``dimension``; ``replicas`` and ``seed`` of the simulation
    that checks it; ``source``, its provenance.
    """

    pair: Pair
    dimension: int
    replicas: int
    seed: int
    source: str

    @property
    def name(self) -> str:
        """The pair's name, with mathematics between dollars."""
        return shown_pair(self.pair)

    @cached_property
    def drift(self) -> AnyDrift:
        """Of the pair, raw like those that it is compared with: all times are in units of 1/γ."""
        return drift_of(self.pair)


def insist_on_numbers(asked: Asked) -> None:
    """Raise ``InputError`` for a dimension, replicas or a seed that no simulation takes."""
    numbers = {"replicas": asked.replicas, "seed": asked.seed}
    _simulation(asked, "0.5", learning_rate="1/d", **numbers)  # no rate that is to be found first


def section_makers(asked: Asked) -> list[Callable[[], Section]]:
    """What makes the sections of a report, in order; none of them fails."""

    @cache
    def zeros() -> Singularities:
        return find_singularities(asked.drift, _DIGITS)

    makers: dict[str, Callable[[], Section]] = {
        "In a sentence": lambda: _verdict(asked, zeros()),
        "Formulas": lambda: _formulas(asked),
        "Escape time": lambda: _curves(asked),
        "Singularities": lambda: _singularities(zeros()),
        "Beside ReLU, GELU and erf": lambda: _comparison(asked),
        "Samples until runs leave the search phase": lambda: _samples(asked),
        "The law beside a simulation": lambda: _check(asked, _attempted(zeros)),
        "To cite and to paste": lambda: _sources(asked),
    }
    return [partial(_made, title, make) for title, make in makers.items()]


def _made(title: str, make: Callable[[], Section]) -> Section:
    found = _attempted(make)
    return found if isinstance(found, Section) else Section(title, "undecided", _reason(found))


def _attempted(function: Callable[[], Any]) -> Any:
    """What a function gives, or the error that says why it gives nothing."""
    try:
        return function()
    except LoraEscapeError as error:
        return error


def _reason(error: object) -> str:
    return f"Not found: {str(error).replace('$', '')}."


# The verdict.


def _verdict(asked: Asked, zeros: Singularities) -> Section:
    """One sentence on what pre-training does to the search phase."""
    singular = [s for s in zeros if s.diverges]
    certainty = "proved" if asked.drift.positive else "certified"
    told = f"With {asked.name}{',' if ', ' in asked.name else ''}"
    if not singular:
        said = f"{told} LoRA leaves the search phase at every strength $0 < \\mu < 1$"
        return Section("In a sentence", certainty, f"{said}{_towards_one(asked)}.")
    places = ", ".join(s.mu._repr_latex_() for s in singular)
    many = "strengths" if len(singular) > 1 else "strength"
    said = (
        f"{told} LoRA never leaves the search phase at the {many} $\\mu^\\star$ = "
        f"{places}: there the escape time is infinite; at all others in $(0, 1)$ it is finite"
    )
    return Section("In a sentence", certainty, f"{said}{_towards_one(asked)}.")


def _towards_one(asked: Asked) -> str:
    """How the escape time grows as the strength goes to 1, if that is known."""
    try:
        limit = escape_limit(drift_of(pair_in_constants(asked.pair)), 1)
    except (InputError, NoClosedForm, Undecided):
        return ""
    if not limit.exponent.is_negative:
        return ""
    grown = in_latex(limit.coefficient * (1 - mu) ** limit.exponent)
    return f"; as pre-training nears the teacher it takes ever longer, $\\tau \\sim {grown}$"


# Formulas and curves.

_MEANS = {  # a and b where they have no closed form, by the loss; s is the student's input
    "square": (
        r"a = E[(y - \sigma(s))\,z\,\sigma'(s)]",
        r"b = E[(y - \sigma(s))\,\sigma''(s)] - E[\sigma'(s)^2]",
    ),
    "correlation": (r"a = E[y\,z\,\sigma'(s)]", r"b = E[y\,\sigma''(s)]"),
}
_ALIGNED = (
    r"Near the start $\dot u = a\,m + b\,u$ and $\dot m = a\,u$ (57), in units of time 1/$\gamma$: "
    r"$u$ is the size of the adapter, $m$ its overlap with the teacher, $\mu$ the strength of "
    "pre-training."
)
_MISALIGNED = (
    r"Pre-training ends at $\mu\,\omega_\star + \nu\,\xi$, with $\xi$ orthogonal to the teacher "
    r"$\omega_\star$, so a third statistic moves: near the start $\dot u = a\,m + e\,\kappa + "
    r"b\,u$, $\dot m = a\,u$ and $\dot\kappa = e\,u$ (App. A.1), in units of time 1/$\gamma$: $u$ "
    r"is the size of the adapter, $m$ its overlap with the teacher, $\kappa$ that with $\xi$, "
    r"$\mu$ the strength of pre-training."
)


def _formulas(asked: Asked) -> Section:
    """The drift and the escape time, in closed form where there is one."""
    shown, nu = drift_of(pair_in_constants(asked.pair)), asked.pair.misalignment
    text = _MISALIGNED if nu != 0 else _ALIGNED
    rest = _of_escape(nu)
    try:
        a, b = shown.expressions
    except NoClosedForm:
        given = _MEANS[asked.pair.loss]
        inputs = r"s = \mu z + \nu w$ of standard normal $z$ and $w" if nu != 0 else r"s = \mu z"
        text += (
            " They are means without a closed form, with the student's input "
            f"${inputs}$; numbers come from enclosures."
        )
        return Section("Formulas", "certified", text, (*given, *rest))
    letters = (f"${latex(c)} = {decimal_text(value)}$" for c, value in definitions(a, b).items())
    told = f" {', '.join(letters)}."
    return Section("Formulas", "proved", text + told * (told != " ."), (*_equations(a, b), *rest))


def _of_escape(nu: Expr) -> tuple[str, ...]:
    """What τ is made of; of misaligned pre-training with ν and e."""
    if nu == 0:
        return (r"\tau(\mu) = \frac{2}{b + \sqrt{b^2 + 4 a^2}}",)
    return (
        rf"\nu(\mu) = {latex(nu)}",
        r"e(\mu) = \nu\,b(\mu)",
        r"\tau(\mu) = \frac{2}{b + \sqrt{b^2 + 4 (a^2 + e^2)}}",
    )


def _equations(a: Expr, b: Expr) -> tuple[str, str]:
    return (rf"a(\mu) = {in_latex(a)}", rf"b(\mu) = {in_latex(b)}")


def _curves(asked: Asked) -> Section:
    """τ over the strength, beside the usual activations."""
    if isinstance(asked.drift, PlaneDrift):
        raise InputError(
            "a curve of enclosures over the plane takes many minutes: misaligned pairs without a "
            "closed form have none here"
        )
    members = [(asked.pair, asked.drift), *_others(asked)]
    figure, *_ = draw_curves(members, "tau", asked.dimension, "svg", asked.source)
    text = (
        "The time that LoRA spends near its start, over the strength of pre-training. Dotted lines "
        "stand where it is infinite. Every point is within one unit in its last place."
    )
    alt = f"Escape time over the pre-training strength, {_words(members)}"
    return Section("Escape time", "certified", text, figure=figure, alt=alt)


def _others(asked: Asked) -> list[Member]:
    """The usual activations, matched, but the one that the report is of."""
    found = []
    for text in COMPARED:
        pair = Pair(text)
        if pair != asked.pair:
            found.append((pair, drift_of(pair)))
    return found


def _words(members: Sequence[Member]) -> str:
    return ", ".join(labelled_name(pair).plain for pair, _ in members)


def _singularities(zeros: Singularities) -> Section:
    """Every zero of a, with what the escape time does there."""
    title = "Singularities"
    if not zeros:
        return Section(title, "certified", "$a$ has no zero in $(0, 1)$: the list is complete.")
    rows = tuple(
        (s.mu._repr_latex_(), s.b._repr_latex_(), "infinite" if s.diverges else "finite, $1/b$",
         _near(s))
        for s in zeros
    )  # fmt: skip
    text = "Every zero of $a$ in $(0, 1)$; the list is complete and every sign is proved."
    head = ("$\\mu^\\star$", "$b(\\mu^\\star)$", "escape time there", "near it")
    return Section(title, "certified", text, head=head, rows=rows)


def _near(zero: Singularity) -> str:
    """How the escape time grows near a zero of a, where it does."""
    if zero.constant is None:
        return ""
    constant = number(float(zero.constant), 6)
    return f"${constant}/(\\mu-\\mu^\\star)^{{{2 * zero.multiplicity}}}$"


def _comparison(asked: Asked) -> Section:
    """τ at some strengths, beside the usual activations."""
    members = [(asked.pair, asked.drift), *_others(asked)]
    curves = [escape_curve(drift, ",".join(_STRENGTHS)).tau for _, drift in members]
    rows = tuple(
        (f"${strength}$", *(_shown(tau, 4) for tau in times))
        for strength, *times in zip(_STRENGTHS, *curves, strict=True)
    )
    head = ("$\\mu$", *(shown_pair(pair) for pair, _ in members))
    text = f"Escape time $\\tau$ in units of {asked.drift.unit}, matched pairs beside this one."
    return Section("Beside ReLU, GELU and erf", "certified", text, head=head, rows=rows)


def _shown(value: float, digits: int = 3) -> str:
    return f"${number(value, digits)}$"


# Samples, and a check of them.


def _samples(asked: Asked) -> Section:
    """What it takes until shares of runs have left, at some strengths."""
    _insist_on_low_degree(asked)
    rows = []
    for strength in _STRENGTHS:
        simulation = _simulation(asked, strength)
        law = _attempted(partial(_law, simulation))
        if isinstance(law, ExitLaw):
            told = (*(law.samples(p) for p in _SHARES), simulation.learning_rate)
            rows.append((f"${strength}$", *map(_shown, told)))
        else:
            rows.append((f"${strength}$", _reason(law)))
    text = (
        f"In $d = {asked.dimension}$ dimensions, at a tenth of the largest stable learning rate "
        f"$\\gamma$ of each strength, {_simulation(asked, '0.5').batch} samples a step: the law of "
        "the exit time, a limit of large $d$."
    )
    head = ("$\\mu$", *(rf"{p:.0%} have left" for p in _SHARES), "$\\gamma$")
    title = "Samples until runs leave the search phase"
    return Section(title, "heuristic", text, head=head, rows=tuple(rows))


def _insist_on_low_degree(asked: Asked) -> None:
    student = asked.pair.student.polynomial
    if student is not None and student.degree() > _HIGHEST:
        raise InputError(
            f"the law of the exit time is not computed here for degrees above {_HIGHEST}: "
            "python -m numerics.exit takes one strength at a time"
        )


def _simulation(asked: Asked, strength: str, **how: Any) -> Simulation:
    settings = {"dimension": asked.dimension, "horizon": 1, "records": 0, **how}
    return Simulation(asked.pair, strength, **settings)


def _law(simulation: Simulation) -> ExitLaw:
    return exit_law(simulation.learner, simulation.radius, simulation.exit_by)


def _check(asked: Asked, zeros: Singularities | LoraEscapeError) -> Section:
    """Runs that are exact in law beside the law, at the strength farthest from any singularity."""
    _insist_on_low_degree(asked)
    found = () if isinstance(zeros, LoraEscapeError) else zeros
    strength = max(
        _STRENGTHS[1:4],
        key=lambda mu: (min((abs(float(s.mu) - float(mu)) for s in found), default=1), mu == "0.5"),
    )
    law = _law(_simulation(asked, strength))
    steps, count = law.steps(_LAST), asked.replicas
    if steps * count > _MOST_STEPS:
        raise InputError(f"{count} runs of {steps:.3g} steps are too many for a report")
    how = {"horizon": steps, "replicas": count, "seed": asked.seed}
    runs = run_simulation(_simulation(asked, strength, **how))
    horizon = law.learning_rate * steps
    distance = ks_distance(runs.exit_times, lambda t: 1 - law.searching(t), horizon)
    times = ((p, law.quantile(p), quantile(runs.exit_times, p)) for p in _CHECKED)
    rows = tuple((f"{p:.0%}", *(_shown(time, 4) for time in both)) for p, *both in times)
    figure = draw_law(law, runs.exit_times, horizon, asked.source)
    text = (
        f"{count} runs of one-pass SGD, exact in law, at $\\mu = {strength}$, "
        f"$d = {asked.dimension}$; {runs.censored} still search at the end. Kolmogorov–Smirnov "
        f"distance {distance:.3f}; 19 of 20 samples of the law itself stay below "
        f"{ks_bound(count):.3f}."
    )
    if distance > ks_bound(count):
        text += " These runs do not: at this $d$ the law of large $d$ may not be theirs yet."
    head = ("have left", "the law (1/γ)", "the runs (1/γ)")
    alt = "Share of runs that still search over time: the law, and the runs as steps"
    title = "The law beside a simulation"
    return Section(title, "simulated", text, head=head, rows=rows, figure=figure, alt=alt)


# What authors paste.

_PAPER = """@misc{nwemadji2026pretraining,
  title = {When pre-training hurts {LoRA} fine-tuning:
    a dynamical analysis via single-index models},
  author = {Nwemadji, Gibbs and Loureiro, Bruno and Barbier, Jean},
  year = {2026},
  eprint = {2602.02855},
  archivePrefix = {arXiv},
}"""


def _sources(asked: Asked) -> Section:
    """LaTeX of the formulas and BibTeX of paper and program."""
    try:
        a, b = drift_of(pair_in_constants(asked.pair)).expressions
        lines = " \\\\\n".join(f"  {line.replace(' = ', ' &= ', 1)}" for line in _equations(a, b))
        formulas = {"LaTeX": f"\\begin{{align}}\n{lines}\n\\end{{align}}"}
    except NoClosedForm:
        formulas = {}
    program = (
        "@software{loraescape,\n  title = {lora-escape},\n  author = {{The lora-escape authors}},\n"
        f"  note = {{{asked.source.split(' | ')[-1]}}},\n}}"
    )
    sources = {**formulas, "BibTeX": f"{_PAPER}\n\n{program}"}
    return Section("To cite and to paste", sources=sources)
