"""The Tessera backend: the server, the command line, and one package per job."""

from tessera_protocol import __version__

__all__ = ["__version__"]
