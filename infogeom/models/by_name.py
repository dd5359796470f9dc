"""Families by name, as text calls them: ``normal``, ``binomial:7``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TypeVar

from infogeom.models.model import Model

__all__ = ["families", "family", "listed", "named"]

#: Arguments of families that need some: the first of these that they accept.
SMALL_INTEGERS = (2, 3, 4)
#: What `listed` has seen.
_FAMILIES: dict[str, Callable[..., Model]] = {}
Family = TypeVar("Family", bound=Callable[..., Model])


def listed(function: Family) -> Family:
    """Decorator of a family that text can call: its arguments are integers, if there are any."""
    _FAMILIES[function.__name__] = function
    return function


def families() -> dict[str, Callable[..., Model]]:
    """Functions of `infogeom.models` that take nothing but integers and return a model, by name.

    Examples
    --------
    >>> import infogeom as ig
    >>> "weibull" in ig.models.families()
    True
    """
    return dict(sorted(_FAMILIES.items()))


def family(text: str) -> Model:
    """Model of a family with its integer arguments after a colon: ``normal``, ``binomial:7``.

    Raises
    ------
    ValueError
        For an unknown family, and arguments that do not fit.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.family("student_t:3")
    <Model Student, known degrees of freedom: mu, sigma>
    """
    name, _, rest = text.partition(":")
    arguments = [part for part in rest.split(",") if part]
    known = families()
    if name not in known:
        raise ValueError(f"family must be one of {', '.join(sorted(known))}, got {text!r}")
    accepted = inspect.signature(known[name]).parameters
    if not _required(known[name]) <= len(arguments) <= len(accepted):
        usage = f"{name}:{','.join(accepted)}".rstrip(":")
        raise ValueError(f"family must be written {usage}, got {text!r}")
    try:
        return known[name](*(_integer(argument) for argument in arguments))
    except ValueError as error:
        raise ValueError(f"family {name}: {error}") from None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"arguments must be integers, got {text!r}") from None


def named(chosen: Sequence[str] | None = None) -> list[tuple[str, Model]]:
    """Families, each with its name; when none are chosen all of them, with small arguments where they need some."""
    if chosen is None:
        chosen = [name + _small(function) for name, function in sorted(families().items())]
    return [(name, family(name)) for name in chosen]


def _small(function: Callable[..., Model]) -> str:
    """The first small arguments that are accepted, after a colon; nothing for a function that needs none."""
    required = _required(function)
    if not required:
        return ""
    for number in SMALL_INTEGERS:
        arguments = [number] * required
        try:
            function(*arguments)
        except ValueError:
            continue
        return ":" + ",".join(map(str, arguments))
    return ""


def _required(function: Callable[..., Model]) -> int:
    """Number of arguments without which a family is not made."""
    accepted = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty for p in accepted)
