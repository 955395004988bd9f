"""The symbols shared by every derivation, named as in the paper.

They carry the assumptions under which the formulas hold: the pre-training strength ``mu`` and the
variance ``Q`` are positive, everything else is real.
"""

from sympy import Symbol

z = Symbol("z", real=True)  # a Gaussian pre-activation
Q = Symbol("Q", positive=True)  # its variance; for the student μ² + u² + 2μum
rho = Symbol("rho", real=True)  # covariance of student and teacher pre-activations
mu = Symbol("mu", positive=True)  # pre-training strength
u = Symbol("u", real=True)  # trainable LoRA scale
m = Symbol("m", real=True)  # overlap of the trainable direction with the teacher
d = Symbol("d", positive=True)  # input dimension
