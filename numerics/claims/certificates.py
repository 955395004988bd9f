"""What the steps of checks leave for others to verify: lists of zeros, and cells with bounds."""

from collections.abc import Iterator, Mapping
from typing import Any

from derive.command.progress import progress
from derive.errors import InputError, abridged
from numerics.certified.certificates import Zeros, cell_bounds, certificate, document
from numerics.certified.zeros import Stretch
from numerics.claims.ledger import Outcome, Step


def certified(outcomes: Mapping[str, Outcome], source: str) -> bytes:
    """A file of certificates of what claims rest on, by the claims' names, with its provenance.

    Raises ``InputError`` if they rest on nothing of the kind. Certified, but for the bounds of
    cells, which are taken as they are.

    >>> certified({"relu-dip": Outcome("refuted", "", ())}, "")
    Traceback (most recent call last):
    derive.errors.InputError: no certificate: relu-dip lists no zeros and no cells
    """
    steps = [(name, step) for name, finding in outcomes.items() for step in finding.details]
    found = [each for pair in progress(steps, "certificates") for each in _certificates(*pair)]
    if not found:
        names = ", ".join(outcomes)
        raise InputError(f"no certificate: {abridged(names, 200)} lists no zeros and no cells")
    return document(found, source)


def _certificates(claim: str, step: Step) -> Iterator[dict[str, Any]]:
    if isinstance(step.value, Zeros):
        yield certificate(step.value)
    elif isinstance(step.value, tuple) and any(isinstance(part, Stretch) for part in step.value):
        yield cell_bounds(claim, step.text, step.value)
