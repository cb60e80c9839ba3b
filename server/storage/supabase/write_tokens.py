"""How a write is named."""

import uuid


def write_token() -> str:
    """Names a write: sent again under the same name, because its answer was lost, it is done once."""
    return str(uuid.uuid4())
