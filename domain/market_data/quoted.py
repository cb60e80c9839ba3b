"""What the prices of one moment say that an asset is worth: one definition for plans and for what is watched."""


def quoted_price(bid: float | None, ask: float | None, last: float | None) -> float | None:
    """The last trade, or the middle of bid and ask, in the currency of the prices; None where there is neither.

    One side alone is an offer that nobody has met, and a bid above the ask is an error of a feed: they give no price.
    """
    return last if last is not None else _middle(bid, ask)


def quoted_spread_bps(bid: float | None, ask: float | None) -> float | None:
    """From bid to ask, in basis points of their middle; None without both, and where the bid is above the ask."""
    middle = _middle(bid, ask)
    return None if middle is None or bid is None or ask is None else (ask - bid) / middle * 1e4


def _middle(bid: float | None, ask: float | None) -> float | None:
    if bid is None or ask is None or not 0.0 < bid <= ask:
        return None
    return 0.5 * (bid + ask)
