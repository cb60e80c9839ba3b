"""Libraries that some tasks need beside what `all_tasks` loads: workers have them soon after the server is ready.

Riskfolio-Lib is not here: it takes 350 MB and is asked for by name only; the first such request of a worker loads it
before its time limit begins, and new workers have it from then on.
"""

FIRST = ("server.tasks.all_tasks",)
"""What worker processes have loaded before the server is ready; `LIBRARIES` follow soon after."""

LIBRARIES = (
    "server.tasks.compiled_simulation",
    "clarabel",
    "daqp",
    "highspy",
    "piqp",
    "scipy.sparse",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.covariance",
    "sklearn.cluster",
)
"""Names of modules, each loaded between two requests for a worker."""
