"""The kinds of updates and starts and the usual sizes of a run: what options offer at once."""

from typing import Literal, TypeAlias, get_args

Update = Literal["spherical", "projected"]
UPDATES: tuple[Update, ...] = get_args(Update)
Signs = Literal["random", "aligned", "opposed"]
SIGNS: tuple[Signs, ...] = get_args(Signs)
Starts: TypeAlias = tuple[tuple[float, ...], ...]  # states of a learner
# What has to reach the radius at an exit: |(u, m, κ)|; |m|; or |m| comes that near to μ (Fig. 1);
# or ρ has gone that share of the way from μ to 1, as LoRA and full fine-tuning both do.
ExitBy = Literal["state", "overlap", "strength", "teacher"]
Method = Literal["lora", "full"]
METHODS: tuple[Method, ...] = get_args(Method)
EXITS: tuple[ExitBy, ...] = get_args(ExitBy)
EXIT_RADIUS, EXIT_BAND = 0.5, 0.05
# Of runs given none, in units of τ log d: see (9). The columns of a network learn one after
# another, each from the plateau that those before it reach: for erf, ReLU and He2 in up to four
# times what one column takes.
USUAL_HORIZON, NETWORK_HORIZON = 1.5, 6.0
