"""How an index is laid out: rows of fixed width, and what stands in each word of them.

A word is a signed integer of 64 bits, little-endian. A row of a call has `CALL_WORDS`, a row of a message four and a
half; what does not fit into a row stands in a record beside it, as JSON behind its length (`LENGTH`). All
records and the rows of messages lie in one run of bytes, the spool, and are named by their place in it.

A call: started | duration | place of its record, flags, status code | number, kind | connection, stream | requests,
responses | request bytes | response bytes. Kinds are (method, protocol, authority), kind 0 stands in the record.

A message: time | place of its bytes, encoding, flags | packet, size | offset | index. Its bytes are in the capture
file, or in the spool where that does not have them in one run (`SPOOLED`), or its record says where (`SPECIAL`).
"""

from __future__ import annotations

import struct

NONE = -(1 << 63)
"""Stands for None in a word."""

ELSEWHERE = NONE + 1
"""Stands for what a word has no room for, which the record tells."""

CALL = struct.Struct("<8q")
MESSAGE = struct.Struct("<4qI")
LENGTH = struct.Struct("<I")
CALL_WORDS = 8
CALL_SIZE = CALL.size
MESSAGE_SIZE = MESSAGE.size

CHUNK_ROWS = 4_096
"""Rows of calls that are kept, written and read together."""

# Flags of a call.
COMPLETE, HAS_PROBLEMS, HAS_EXTRA = 1, 2, 4
# Flags of a message.
RESPONSE, SPECIAL, SPOOLED = 1, 2, 4

NO_CODE, OTHER_CODE = 255, 254
"""Stand for a status that is not there, and for one whose code is told by the record, as it is not below these."""

MAX_NUMBER = (1 << 31) - 1
"""The highest number that half a word holds."""

MAX_PLACE = (1 << 47) - 1
