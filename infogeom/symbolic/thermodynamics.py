"""Metrics of equations of state: second derivatives of a free energy."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Symbol

from infogeom.arguments import as_expression, sequence_of
from infogeom.symbolic.forms import ClosedForm
from infogeom.symbolic.metric_value import Metric

__all__ = ["thermodynamic_metric"]


def thermodynamic_metric(
    free_energy: Expr, temperature: Symbol, densities: Sequence[Symbol] | Symbol, *, constraints: Sequence[Expr] = ()
) -> Metric:
    """Metric of a free energy f(T, v, …) per particle, or per volume: (−f_TT dT² + Σ f_ij dv_i dv_j) / T.

    With Boltzmann's constant 1 it is −∂∂s in the densities of the extensive quantities, per particle or volume; blocks
    of temperature and the other densities vanish in these coordinates (Ruppeiner, Rev. Mod. Phys. 67 (1995) 605,
    Sec. II; his R has the other sign). The thermodynamic limit is a Gibbs model whose Fisher metric it is.

    Where the metric is not positive definite, as between the spinodals of a van der Waals gas, there is no such state:
    numbers stay, and status is 10, unphysical.

    Parameters
    ----------
    free_energy : sympy.Expr
        Helmholtz's f; further symbols are constants of the metric.
    temperature : sympy.Symbol
        Positive.
    densities : Symbol or sequence of Symbol
        What f depends on besides, each per particle (volume) or per volume (numbers of particles).
    constraints : sequence of sympy.Expr
        What is positive inside the domain, besides.

    Raises
    ------
    TypeError, ValueError
        For a temperature that is no positive symbol, and for coordinates that are not different or not in f.

    Examples
    --------
    The van der Waals gas, in units of its critical point, has its spinodal at v = 1 there:

    >>> import sympy, infogeom as ig
    >>> T, v = sympy.symbols("T v", positive=True)
    >>> f = -sympy.Rational(8, 3) * T * sympy.log(v - sympy.Rational(1, 3)) - 3 / v - 4 * T * sympy.log(T)
    >>> g = ig.symbolic.thermodynamic_metric(f, T, v, constraints=[v - sympy.Rational(1, 3)])
    >>> g.at(T=2, v=1)
    array([[1., 0.],
           [0., 3.]])
    """
    f = as_expression("free_energy", free_energy)
    if not isinstance(temperature, Symbol) or not temperature.is_positive:
        raise TypeError(f"temperature must be a Symbol declared positive, got {temperature!r}")
    v = sequence_of("densities", densities, Symbol)
    if not v:
        raise ValueError("densities must be at least one, got none")
    coordinates = [temperature, *v]
    if len(set(coordinates)) < len(coordinates):
        raise ValueError(f"densities must differ from each other and from the temperature, got {v}")
    if absent := [x.name for x in coordinates if x not in f.free_symbols]:
        raise ValueError(f"free_energy must depend on every coordinate, got {f} without {absent}")
    blocks = sympy.diag(-f.diff(temperature, 2), sympy.hessian(f, v)) / temperature
    matrix = blocks.applyfunc(sympy.factor_terms).as_immutable()
    return Metric(
        coordinates,
        ClosedForm(matrix, definite=True),
        constraints=constraints,
        constants=sorted(f.free_symbols - set(coordinates), key=str),
    )
