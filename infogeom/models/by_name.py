"""Families by name, as text calls them: ``normal``, ``binomial:7``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

from infogeom import models
from infogeom.models.model import Model

__all__ = ["families", "family", "named"]

#: Arguments of families that need some: the first of these that they accept.
SMALL = (2, 3, 4)


def families() -> dict[str, Callable[..., Model]]:
    """Functions of `infogeom.models` that take nothing but integers and return a model, by name.

    Examples
    --------
    >>> import infogeom as ig
    >>> "weibull" in ig.models.families()
    True
    """
    found: dict[str, Callable[..., Model]] = {}
    for name in models.__all__:
        function = getattr(models, name)
        if inspect.isfunction(function):
            signature = inspect.signature(function)
            kinds = [str(p.annotation).partition(" ")[0] for p in signature.parameters.values()]
            if signature.return_annotation == "Model" and all(kind == "int" for kind in kinds):
                found[name] = function
    return found


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
    <Model Student, 3 degrees of freedom: mu, sigma>
    """
    name, _, rest = text.partition(":")
    known, arguments = families(), [part for part in rest.split(",") if part]
    if name not in known:
        raise ValueError(f"family must be one of {', '.join(sorted(known))}, got {text!r}")
    signature = inspect.signature(known[name])
    required = [p for p in signature.parameters.values() if p.default is p.empty]
    if not len(required) <= len(arguments) <= len(signature.parameters):
        usage = ":".join([name, ",".join(signature.parameters)]).rstrip(":")
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
    required = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    for number in SMALL if required else ():
        arguments = [number] * len(required)
        try:
            function(*arguments)
        except ValueError:
            continue
        return ":" + ",".join(map(str, arguments))
    return ""
