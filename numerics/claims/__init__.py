"""The ledger: the paper's claims, each beside a check that can fail, and what the checks found."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numerics.claims.ledger import CLAIMS as CLAIMS


def __getattr__(name: str) -> object:
    """``CLAIMS``, all of them: to import a section enters its claims, in the ledger's order."""
    if name != "CLAIMS":
        raise AttributeError(name)
    # isort: off
    from numerics.claims import setting, calculus, population_loss, information_exponent  # noqa: F401
    from numerics.claims import student_mean, standard_model, spherical_sgd, search_phase  # noqa: F401
    from numerics.claims import activations, biases, linear, hermite_students, every_degree  # noqa: F401
    from numerics.claims import large_degree, labels, squared_labels, labels_common  # noqa: F401
    from numerics.claims import best_labels  # noqa: F401
    from numerics.claims import stored_curves, variants, mechanics, descent  # noqa: F401
    from numerics.claims import assumptions, recovery, ends, two_stages, delays, samples, sgd_laws  # noqa: F401
    from numerics.claims import stored_runs  # noqa: F401
    from numerics.claims import networks, linear_networks  # noqa: F401
    from numerics.claims import lora_in_practice  # noqa: F401

    # isort: on
    from numerics.claims.ledger import CLAIMS

    return CLAIMS
