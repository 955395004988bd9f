"""Plain text with mathematics: what of it is a formula, and what are words."""

import pytest

from derive.command.prose import formulated, prose, with_formulas


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "a of He_3 at a zero of a all rest",
            r"$a$ of $\mathrm{He}_{3}$ at a zero of $a$ all rest",
        ),
        ("Σ_j c_(n-2j)² < 10⁻¹² n!", r"$\sum_{j}$ $c_{n-2j}^{2}$ < $10^{-12}$ $n$!"),
        ("the 2D case of App. E, Sec. 3 (c)", "the 2D case of App. E, Sec. 3 (c)"),
        (r"of LaTeX, $c_k(Q)$, c_k'(Q)", r"of LaTeX, $c_k(Q)$, $c_{k}'$($Q$)"),
        ("z's two-stage √(1+μ²), λ₊", r"$z$'s two-stage $\sqrt{1+\mu^{2}}$, $\lambda_{+}$"),
        ("e^(-2(1-μ)² t)", r"$e^{-2(1-\mu)^{2} t}$"),
        ("divergence-needs-b: -∂_m L", r"divergence-needs-b: $-\partial_{m}$ $L$"),
        ("c_(k⋆) ≠ 0 at μ⋆", r"$c_{k^\star}$ $\ne$ 0 at $\mu^\star$"),
        ("u̇ = a m + b u, and a → 0", r"$\dot u$ = $a$ $m$ + $b$ $u$, and $a$ $\to$ 0"),
        ("the sign of a m₀, a γ at which", r"the sign of $a$ $m_{0}$, a $\gamma$ at which"),
        ("two zeros of a in (0, 1), τ = 1/a", r"two zeros of $a$ in (0, 1), $\tau$ = 1/$a$"),
        ("λ_± = ½(-1 ± b)", r"$\lambda_{\pm}$ = $\tfrac12$($-$1 $\pm$ $b$)"),
        ("C/(μ-μ⋆)²", r"$C$/$(\mu-\mu^\star)^{2}$"),
        ("a damping 1 (b = -1)", r"a damping 1 ($b$ = $-$1)"),
        ("at 0.95 (x, ReLU; n = 20)", r"at 0.95 ($x$, ReLU; $n$ = 20)"),
        (
            "Sec. 3.2 (c), Fig. 2 (b), Assumption 3 (i)",
            "Sec. 3.2 (c), Fig. 2 (b), Assumption 3 (i)",
        ),
        ("-sign(m), (Q_ii-1), m's", r"$-$sign($m$), ($Q_{ii}-$1), $m$'s"),
        ("dU_l/dt, -d²L/du² or dS/dQ", r"$dU_{l}/dt$, $-d^{2}L/du^{2}$ or $dS/dQ$"),
        ("d/dt of z**4 + 2*z**2, He3", r"$d/dt$ of $z^{4}$ + 2 $z^{2}$, $\mathrm{He}_{3}$"),
        ("v'' + A v' + x A, with dt = γ", r"$v''$ + $A$ $v'$ + $x$ $A$, with $dt$ = $\gamma$"),
        ("a as μ → 0, a falls at a turn", r"$a$ as $\mu$ $\to$ 0, $a$ falls at a turn"),
        ("squared_relu, U_jl", "squared_relu, $U_{jl}$"),
        ("W + B A with A = ω, |A| = 1", r"$W$ + $B$ $A$ with $A$ = $\omega$, |$A$| = 1"),
        ("A start x ~ N(0, I)", r"A start $x$ $\sim$ $N$(0, $I$)"),
    ],
)
def test_mathematics_is_told_from_words(text, told):
    assert with_formulas(text) == told


def test_words_between_formulas_are_set_for_tex_too():
    """Signs that TeX takes for commands, and those that its fonts lack."""
    told = "90% of μ, my_task & τ – so “far”… |m| > 1"
    shown = r"90\% of $\mu$, my\_task \& $\tau$ -- so ``far''\dots{} "
    for made in (prose, formulated):
        assert made(told).plain == told
        assert made(told).latex.startswith(shown)
        assert made(told).latex.count("$") % 2 == 0
