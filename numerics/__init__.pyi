# The public names of numerics, by the module that holds them.
from .balls import Enclosure as Enclosure
from .enclosures import BallDrift as BallDrift
from .enclosures import ball_drift as ball_drift
from .escape import EscapeCurve as EscapeCurve
from .escape import escape_curve as escape_curve
from .expressions import ball_function as ball_function
from .floats import FastDrift as FastDrift
from .floats import fast_drift as fast_drift
from .quadrature import mean_function as mean_function
from .roots import RealRoot as RealRoot
from .roots import enclose_root as enclose_root
from .roots import isolate_roots as isolate_roots
from .singularities import Singularity as Singularity
from .singularities import find_singularities as find_singularities
from .zeros import isolate_zeros as isolate_zeros
