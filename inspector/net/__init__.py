"""Network protocols, one per file and sans-io: bytes or records in, records out, no sockets, files or clocks.

Each stateful parser has the shape `feed(item) -> events`, `close() -> events`, and goes on after damage: what is
wrong becomes a `Problem` or a `Gap`, and the parser finds its feet at the next place that makes sense.
"""
