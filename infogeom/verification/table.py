"""What a verification finds, row by row, and how it prints."""

from __future__ import annotations

from dataclasses import dataclass

from infogeom.tables import Table, coordinates

__all__ = ["Row", "Verification"]

Point = tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """One quantity at one point by one route, against the compiled float64 value.

    Attributes
    ----------
    point : tuple of float
    quantity : str
        metric, christoffel, riemann, ricci or ricci_scalar; status where there is nothing to compare.
    component : tuple of str
        Parameters that name the component shown: the one that takes up most of its tolerance.
    route : str
    value : float
        The route's own value of that component.
    difference : float
        Of the compiled value from it, in magnitude.
    tolerance : float
        Bound on the rounding error of the compiled value, its ``<quantity>_error`` or, but for R, what 50 digits say of
        float64 where that is more; plus the route's own error.
    note : str
        Why nothing was compared; empty where it was.

    Examples
    --------
    >>> import infogeom as ig
    >>> row = ig.verify(ig.models.poisson(), [[2.0]]).rows[0]
    >>> row.quantity, row.component, row.agree
    ('metric', ('rate', 'rate'), True)
    """

    point: Point
    quantity: str
    component: tuple[str, ...]
    route: str
    value: float = float("nan")
    difference: float = float("nan")
    tolerance: float = float("nan")
    note: str = ""

    @property
    def compared(self) -> bool:
        """Whether the row compares two numbers."""
        return not self.note

    @property
    def agree(self) -> bool:
        """Whether it does, and the difference is within the tolerance."""
        return self.compared and self.difference <= self.tolerance

    @property
    def verdict(self) -> str:
        """In a word, or the note."""
        return self.note or ("agrees" if self.agree else "DISAGREES")


@dataclass(frozen=True, repr=False)
class Verification(Table):
    """Table of a verification; prints as text and, in a notebook, as HTML.

    Attributes
    ----------
    title : str
        What was verified.
    names : tuple of str
        Parameters of the points.
    rows : tuple of Row
        Points in the order given, then quantities, then routes.
    skipped : tuple of (str, str)
        Routes that were not taken, or not everywhere, each with the reason.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.verify(ig.models.poisson(), [[2.0]]).verdict
    'all 18 comparisons agree'
    """

    title: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def agree(self) -> bool:
        """Whether there was something to compare, and every comparison agrees."""
        compared = [row.agree for row in self.rows if row.compared]
        return bool(compared) and all(compared)

    @property
    def verdict(self) -> str:
        """Sentence that sums up the table."""
        compared = [row.agree for row in self.rows if row.compared]
        wrong = compared.count(False)
        if not compared:
            return "NOTHING could be compared"
        number = f"{len(compared)} comparison{'s' * (len(compared) > 1)}"
        if wrong:
            return f"{wrong} of {number} DISAGREE"
        return f"all {number} agree" if len(compared) > 1 else "the only comparison agrees"

    def _above(self) -> list[str]:
        return [self.title]

    def _cells(self) -> list[tuple[str, ...]]:
        head = (", ".join(self.names), "quantity", "route", "value", "difference", "tolerance", "verdict")
        return [head, *map(_cells, self.rows)]

    def _below(self) -> list[str]:
        skipped = [f"not taken: {route}: {reason}" for route, reason in self.skipped]
        return [*skipped, self.verdict]


def _cells(row: Row) -> tuple[str, ...]:
    point, quantity = coordinates(row.point), row.quantity
    if row.component:
        quantity += f"[{', '.join(row.component)}]"
    if not row.compared:
        return point, quantity, row.route, "", "", "", row.verdict
    value, difference, tolerance = f"{row.value:.9g}", f"{row.difference:.1e}", f"{row.tolerance:.1e}"
    return point, quantity, row.route, value, difference, tolerance, row.verdict
