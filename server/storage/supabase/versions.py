"""Migrations that this version knows, by subject; one a line, so that each can grow by itself."""

VERSIONS: tuple[str, ...] = (
    # base
    "20261128010000",
    "20261128010001",
    # market data
    "20261128020000",
    "20261128020001",
    "20261128020002",
    "20261128020003",
    "20261128020004",
    # portfolios, fills and results
    "20261128030000",
    "20261128030001",
    "20261128030002",
    "20261128030003",
    # jobs
    "20261128040000",
    "20261128040001",
    "20261128040002",
    "20261128040003",
    "20261128040004",
    "20261128040005",
    # copies of stores
    "20261128050000",
    "20261128050001",
    # changes and events
    "20261128060000",
    "20261128060001",
    "20261128060002",
    "20261128060003",
    "20261128060004",
)
"""As `absfin.get_schema_versions` returns them."""
