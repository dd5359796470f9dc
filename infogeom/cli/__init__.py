"""The command ``infogeom``: its entry, what MODEL may be, and a file for each subcommand."""

from infogeom.cli.command import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return sorted(__all__)
