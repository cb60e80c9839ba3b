"""The version of the server."""

from importlib import metadata


def version_of(distribution: str = "abs-finance") -> str:
    """The version of a distribution; empty where it is not installed, as in a folder that is only on the path."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
