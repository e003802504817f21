"""How connections and calls come to their end, in words, and without waiting for the other side."""

from __future__ import annotations

import asyncio
import ssl

from inspector.model.call import Status


def lost(error: Exception | None) -> str:
    """What the loss of a connection means; without an error the other side closed it."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if error is not None:
        return f"the connection was lost: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
    return "the server closed the connection"


def cardinality(status: Status, count: int) -> str | None:
    """What is wrong with the number of answers of a method that gives no stream of them: OK has exactly one (gRPC's
    "cardinality violation"). A status other than OK is a failure already, whatever came before it."""
    if status.code or count == 1:
        return None
    came = f"{count} answers" if count else "no answer"
    return f"{status.name}, but {came} came; the method gives one (a cardinality violation)"


def hang_up(transport: asyncio.Transport) -> None:
    """Closes it. With TLS that says so, and does not wait for the server to say the same, as many never do."""
    transport.close()
    if transport.get_extra_info("ssl_object") is not None:
        asyncio.get_running_loop().call_soon(transport.abort)
