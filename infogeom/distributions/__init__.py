"""Laws of models at single points: density, score and samples in numbers."""

from infogeom.distributions.distribution import Distribution

__all__ = ["Distribution"]


def __dir__() -> list[str]:
    return sorted(__all__)
