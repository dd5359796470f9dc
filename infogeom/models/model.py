"""What a statistical model is: named parameters, a log-density, and, for data-defined models, the samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sympy import Expr, Set, Symbol

from infogeom.arguments import as_expression, exact, finite_array, point_of
from infogeom.formulas import latex
from infogeom.losses import Loss
from infogeom.methods import OfModels
from infogeom.models.names import check_name
from infogeom.models.parameter import Parameter
from infogeom.models.samples import Samples
from infogeom.quantities import QUANTITIES

__all__ = ["Model", "Network", "Number", "Structure"]

#: From an expression in parameters and constants to its value.
Number = Callable[[Expr], float]

#: Sets over which expectations are taken.
SUPPORTS = (
    sympy.Interval,
    sympy.Range,
    sympy.FiniteSet,
    type(sympy.S.Naturals),
    type(sympy.S.Naturals0),
    type(sympy.S.Integers),
)


class Structure:
    """What is known of a model beside its log-density: how it is made of others, or of which kind it is.

    Attributes
    ----------
    copies : Expr
        How many independent observations of its log-density a model stands for.
    per : str
        What the metric is per, of an infinite system: "site", "volume"; else empty.
    parts : tuple of Model
        Models whose observations, side by side, are one of the model.
    fisher : str
        Which Fisher information the metric is: "expected", "observed" or "empirical".
    values_only : str
        Why the metric has values alone, and no curvature or other coordinates; empty where it has all.
    """

    copies: Expr = sympy.S.One
    per: str = ""
    parts: tuple[Model, ...] = ()
    fisher: str = "expected"
    values_only: str = ""

    def parts_at(self, model: Model, number: Number) -> list[tuple[Model, dict[Symbol, float]]]:
        """Models whose observations, side by side, are one of the model, each at its point; none where it is of none.

        ``number`` is the value of an expression in the parameters and the constants.
        """
        return []

    def drawn_from(self, model: Model, number: Number) -> tuple[Model, dict[Symbol, float]] | None:
        """A model of whose observations those of this one are functions, at its point; None where there is none."""
        return None

    def check(self, model: Model) -> None:
        """Raise where the constants of the model are none that it can have."""

    def seen(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is observed of observations (n, variables) of that model."""
        return x

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64] | None:
        """``n`` observations, shape (n, variables), where the structure says how they come about; else None.

        ``number`` is as for the parts.

        Raises
        ------
        OverflowError, ValueError
            Where NumPy's generators fail.
        TypeError
            Where there is no other way either.
        """
        return None

    def log_density(self, number: Number, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Logarithm of the density at observations (…, variables), where that of the model has no formula."""
        return None

    def scores(self, symbols: Sequence[Symbol], number: Number, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Derivatives of that logarithm by parameters, along a last axis."""
        return None


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """What makes a model a network: its output, the symbols of its inputs, its loss and which Fisher it stands for.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.sigmoid_neuron([[1.0, 0.5]], [1], ig.losses.CrossEntropy()).network
    <Network of xtilde_1, xtilde_2: cross-entropy, empirical Fisher>
    """

    output: Expr
    inputs: tuple[Symbol, ...]
    loss: Loss
    fisher: str

    def __repr__(self) -> str:
        names = ", ".join(symbol.name for symbol in self.inputs)
        return f"<Network of {names}: {self.loss.name}, {self.fisher} Fisher>"


@dataclass(frozen=True, eq=False, repr=False)
class Model(OfModels):
    """A statistical model p(x | θ), immutable.

    Parameters
    ----------
    name : str
        What tables and figures call it.
    parameters : sequence of Parameter
        Coordinates, in order.
    log_density : sympy.Expr
        log p in the parameters, the variable, the constants and the per-sample symbols.
    variable : sympy.Symbol, tuple of sympy.Symbol or None
        Over which the expectation runs; None when every symbol is observed (the empirical Fisher metric).
    support : sympy.Set, tuple of sympy.Set or None
        Values of the variable: an Interval, a Range or a FiniteSet, not dependent on the parameters; of several
        variables each may depend on those before it. None with a variable: the density is with respect to a base
        measure that is not given.
    constants : mapping of Symbol to sympy.Expr
        Known constants of the law (the n of a binomial, a `Constant`), each with its value: a number, or a symbol.
    samples : Samples, optional
        The data, for models whose metric is a mean over samples.
    observables : mapping of str to sympy.Expr or sympy.Matrix
        Further per-sample quantities, averaged like the metric: ``loss``, ``ntk_trace``, ``log_likelihood``; matrices
        are components of covectors: ``score``.
    network : Network, optional
        Output, loss and kind of Fisher information of a network.
    change_of_variable : mapping of Symbol to sympy.Expr
        What the log-density is a function of, in terms of the variable and the parameters, where that is not the
        variable itself: the x = Q(u; θ) of a law whose support moves with θ but whose u is regular. Its Jacobian is
        accounted for.
    constraints : sequence of sympy.Expr
        What is positive inside the domain, besides the intervals of the parameters: their joint conditions.
    structure : Structure, optional
        What is known beside the log-density: how the model is made of others, or of which kind it is.
    budget : float
        Seconds that SymPy may take for expectations of a long log-density, and as many for integrals of any; 0 for a
        law whose expectations are known not to close.
    latex, source : str
        The law in LaTeX, and where it is described.

    Raises
    ------
    ValueError
        For repeated or missing parameters, undeclared symbols, or a support that depends on a parameter.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x, rate = sympy.symbols("x rate", positive=True)
    >>> parameter = ig.models.Parameter(rate)
    >>> ig.models.Model("own", [parameter], sympy.log(rate) - rate * x, x, sympy.Interval.open(0, sympy.oo))
    <Model own: rate>
    """

    name: str
    parameters: Sequence[Parameter]
    log_density: Expr
    variable: Symbol | tuple[Symbol, ...] | None
    support: Set | tuple[Set, ...] | None
    constants: Mapping[Symbol, Expr] = field(default_factory=dict)
    samples: Samples | None = None
    observables: Mapping[str, Expr] = field(default_factory=dict)
    network: Network | None = None
    change_of_variable: Mapping[Symbol, Expr] = field(default_factory=dict)
    constraints: Sequence[Expr] = ()
    structure: Structure | None = None
    budget: float = 5.0
    latex: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "log_density", as_expression("log_density", self.log_density))
        for name in ("constants", "observables", "change_of_variable"):
            read = {exact(key): exact(sympy.sympify(e)) for key, e in getattr(self, name).items()}
            object.__setattr__(self, name, read)
        several = isinstance(self.variable, tuple)
        object.__setattr__(self, "variable", tuple(map(exact, self.variables)) if several else exact(self.variable))
        object.__setattr__(self, "constraints", tuple(exact(sympy.sympify(c)) for c in self.constraints))
        if isinstance(self.support, tuple):
            object.__setattr__(self, "support", tuple(map(_exact_set, self.support)))
        else:
            object.__setattr__(self, "support", _exact_set(self.support))
        self._check()

    def _check(self) -> None:
        self._check_names()
        self._check_symbols()
        parameters = {p.symbol for p in self.parameters}
        for k, support in enumerate(self.supports):
            self._check_support(support, parameters, set(self.variables[:k]))

    def _check_names(self) -> None:
        names = [p.name for p in self.parameters]
        if not names:
            raise ValueError(f"model {self.name!r} must have at least one parameter")
        for name in names:
            check_name(name, self.observables.keys() & QUANTITIES.keys())
        if len(set(names)) < len(names):
            raise ValueError(f"model {self.name!r}: parameter names must differ, got {names}")

    def _check_symbols(self) -> None:
        if len(self.variables) != len(self.supports) and not (self.support is None and self.structure):
            raise ValueError(
                f"model {self.name!r}: variable and support go together, got {self.variable}, {self.support}"
            )
        parameters = [p.symbol for p in self.parameters]
        if len({*self.variables, *parameters}) < len(self.variables) + len(parameters):
            raise ValueError(
                f"model {self.name!r}: variables must differ from each other and from the parameters, got "
                f"{list(self.variables)} and {parameters}"
            )
        own = {*parameters} | set(self.variables) | set(self.change_of_variable)
        if self.samples:
            own |= set(self.samples.symbols)
        found = self.log_density.free_symbols

        # Every symbol of the log-density is declared.
        known = own | set(self.constants)
        for unknown in sorted(found - known, key=str):
            twin = " of the same assumptions" if unknown.name in {s.name for s in known} else ""
            raise ValueError(
                f"model {self.name!r}: symbol {unknown} of the log-density is neither variable nor parameter{twin}"
            )

        # A constant's value may be a symbol of the user's, but none that says something else here.
        others = {s.name for s in own}
        values = [symbol for value in self.constants.values() for symbol in value.free_symbols]
        for value in values:
            if value.name in others:
                raise ValueError(
                    f"model {self.name!r}: symbol {value} is a known constant, and must differ from parameters and "
                    f"variables {sorted(others)}"
                )

        # A parameter that the density does not depend on makes the metric singular everywhere.
        for parameter in self.parameters:
            if parameter.symbol not in found:
                raise ValueError(f"model {self.name!r}: parameter {parameter.name!r} does not occur in the log-density")

    def _check_support(self, support: Set, parameters: set[Symbol], before: set[Symbol]) -> None:
        if not isinstance(support, SUPPORTS):
            raise TypeError(
                f"model {self.name!r}: support must be an Interval, Range, FiniteSet or integers, got {support}"
            )
        if support.free_symbols & parameters:
            raise ValueError(
                f"model {self.name!r}: the support {support} depends on a parameter; "
                "the Fisher metric needs a fixed support to exchange derivative and integral"
            )
        if unknown := support.free_symbols - before - {*self.constants}:
            raise ValueError(f"model {self.name!r}: the support {support} holds the unknown symbol {unknown.pop()}")

    @property
    def variables(self) -> tuple[Symbol, ...]:
        """The variable, or the several of them; none where every symbol is observed."""
        return _several(self.variable)

    @property
    def supports(self) -> tuple[Set, ...]:
        """Support of each variable; none where the base measure is not given."""
        return _several(self.support)

    def __repr__(self) -> str:
        names = ", ".join(p.name for p in self.parameters)
        data = f", {len(self.samples)} samples" if self.samples else ""
        kind = f", {self.loss.name}, {self.fisher} Fisher" if self.loss else ""
        return f"<Model {self.name}: {names}{kind}{data}>"

    def _repr_latex_(self) -> str:
        names = ", ".join(latex(p.symbol) for p in self.parameters)
        variables = ", ".join(map(latex, self.change_of_variable or self.variables))
        law = rf"\log p({variables} \mid {names})" if variables else rf"\log p_n({names})"
        return rf"$\displaystyle {law} = {latex(self.log_density)}$"

    @property
    def loss(self) -> Loss | None:
        """Loss of a network, None for a family of distributions."""
        return self.network.loss if self.network else None

    @property
    def fisher(self) -> str:
        """``"expected"``, ``"empirical"`` or ``"observed"``: over which labels the Fisher information is taken."""
        known = self.network or self.structure
        return known.fisher if known else "expected"

    @property
    def digest(self) -> str:
        """Hash of everything the model's geometry depends on."""
        parts = [self.name]
        parts += [f"{sympy.srepr(p.symbol)} {p.domain}" for p in self.parameters]
        parts += [sympy.srepr(self.log_density)]
        parts += [str(self.variable), str(self.support), str(dict(self.constants)), self.fisher, repr(self.structure)]
        parts += [f"{symbol} {sympy.srepr(e)}" for symbol, e in self.change_of_variable.items()]
        parts += [f"{name} {sympy.srepr(e)}" for name, e in self.observables.items()]
        digest = hashlib.sha256("\n".join(parts).encode())
        if self.samples:
            digest.update(self.samples.data.tobytes() + self.samples.weights.tobytes())
        return digest.hexdigest()

    def output(self, theta: ArrayLike, inputs: ArrayLike) -> NDArray[np.float64]:
        """Output of the network.

        Parameters
        ----------
        theta : array_like, shape (d,), or mapping
            Parameters in model order, or by name.
        inputs : array_like, shape (m, d_in)
            Finite inputs, in the columns of the training data.

        Returns
        -------
        ndarray of float64, shape (m,)

        Raises
        ------
        TypeError
            For a model that is not a network.
        ValueError
            For shapes that do not match or values that are not finite.
        """
        if self.network is None:
            raise TypeError(f"model {self.name!r} is not a network and has no output")
        theta = point_of("theta", theta, [p.name for p in self.parameters])
        inputs = finite_array("inputs", inputs, ndim=2)
        if len(theta) != len(self.parameters):
            raise ValueError(f"theta must have {len(self.parameters)} entries, got {len(theta)}")
        if inputs.shape[1] != len(self.network.inputs):
            raise ValueError(f"inputs must have {len(self.network.inputs)} columns, got shape {inputs.shape}")
        arguments = [p.symbol for p in self.parameters]
        arguments += self.network.inputs
        f = sympy.lambdify(arguments, self.network.output, modules=[{"expit": expit}, "numpy"], dummify=True)
        return np.broadcast_to(f(*theta, *inputs.T), len(inputs)).astype(np.float64)


def _exact_set(support: Any) -> Any:
    """Support with its ends exact; what is none is told later."""
    return exact(support) if isinstance(support, Set) else support


def _several(given: Any) -> tuple[Any, ...]:
    if given is None:
        return ()
    return given if isinstance(given, tuple) else (given,)
