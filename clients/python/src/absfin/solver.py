"""How an optimisation is solved."""

from absfinance.v1 import optimization_pb2 as pb
from google.protobuf.duration_pb2 import Duration

from absfin.choices import Engine, UnknownChoice, choice

SolverOptions = pb.SolverOptions


def solver_options(
    *, time_limit_seconds: float | None = None, tolerance: float | None = None, engine: Engine = "auto"
) -> SolverOptions:
    """Time limit of the solver in seconds, its relative tolerance (1e-14 to 1e-3), and the engine that solves.

    Raises UnknownChoice for another engine. Where the time is not enough, the call raises DeadlineExceeded.
    """
    value = choice(pb.Engine, "engine", engine)
    if value == "ENGINE_CLOSED_FORM":
        raise UnknownChoice(f"engine: {engine!r} is only in certificates; auto takes a closed form where there is one")
    limit = None
    if time_limit_seconds is not None:
        limit = Duration()
        limit.FromNanoseconds(round(time_limit_seconds * 1e9))
    return SolverOptions(time_limit=limit, tolerance=tolerance, engine=value)
