"""How connections come to their end, in words, and without waiting for the other side."""

from __future__ import annotations

import asyncio
import ssl


def lost(error: Exception | None) -> str:
    """What the loss of a connection means; without an error the other side closed it."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if error is not None:
        return f"the connection was lost: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
    return "the server closed the connection"


def hang_up(transport: asyncio.Transport) -> None:
    """Closes it. With TLS that says so, and does not wait for the server to say the same, as many never do."""
    transport.close()
    if transport.get_extra_info("ssl_object") is not None:
        asyncio.get_running_loop().call_soon(transport.abort)
