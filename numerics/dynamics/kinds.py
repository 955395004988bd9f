"""The kinds of updates and starts and the usual sizes of a run: what options offer at once."""

from typing import Literal, get_args

Update = Literal["spherical", "projected"]
UPDATES: tuple[Update, ...] = get_args(Update)
Signs = Literal["random", "aligned", "opposed"]
SIGNS: tuple[Signs, ...] = get_args(Signs)
EXIT_RADIUS = 0.5
# Of runs given none, in units of τ log d: see (9). The columns of a network learn one after
# another, each from the plateau that those before it reach: for erf, ReLU and He2 in up to four
# times what one column takes.
USUAL_HORIZON, NETWORK_HORIZON = 1.5, 6.0
