"""What a caller can do about an error, in terms of the command line."""

from absfin import errors

HINTS: tuple[tuple[type[errors.AbsFinanceError], str], ...] = (
    (errors.TokenExpired, "get a new token or key, and give it as ABSFIN_TOKEN or in a profile"),
    (errors.Unauthenticated, "give a token or a key as ABSFIN_TOKEN, with --token or in a profile"),
    (errors.PermissionDenied, "ask an admin for a key with the role: absfin keys create --role ROLE"),
    (errors.MissingMarketData, "see what is stored: absfin instruments list; store prices: absfin import FILE"),
    (errors.AlreadyExists, "choose another id, or delete that one first"),
    (errors.BacktestRunning, "wait for its end with absfin watch, or stop it: absfin backtests cancel"),
    (errors.EtagMismatch, "read it again, and give the etag that it has now"),
    (errors.DeadlineExceeded, "give it more time: absfin --timeout SECONDS before the command"),
)
LISTS = {
    "backtests": "absfin backtests list",
    "optimizations": "absfin optimizations list",
    "reallocations": "absfin reallocations list",
    "portfolios": "absfin portfolio list",
    "apiKeys": "absfin keys list",
}
"""The command that lists the resources of a collection."""


def hint_for(error: errors.AbsFinanceError, server: str) -> str:
    """What to do next; empty where the error says it, or nothing is known to help."""
    if isinstance(error, errors.Unavailable) and not error.reason:
        if "handshake" in error.message.lower():
            return "does the server encrypt, with a certificate that is trusted here? see --ca FILE and --no-tls"
        # gRPC has found nobody; an error of the server itself has a reason.
        return f"is a server running at {server}? absfin serve"
    if isinstance(error, errors.NotFound):
        listed = [command for collection, command in LISTS.items() if f"{collection}/" in error.message]
        return f"see what is there: {listed[0]}" if listed else ""
    return next((hint for kind, hint in HINTS if isinstance(error, kind)), "")
