"""Every bound, with its reason. Input is hostile: these bound memory and time, not what the input claims."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

# --- capture files -----------------------------------------------------------------------------------------------

READ_SIZE = 64 * KIB
"""Bytes asked from a file at once: below what allocators get anew from the system each time (128 KiB), and few enough
to show first results at once."""

MAX_SOUGHT_RECORD = 256 * KIB
"""Longest record or block believed where the place in a damaged capture file is sought: the most Wireshark writes."""

MAX_PACKET = 16 * MIB
"""A packet record that claims more is damage. (Wireshark writes at most 256 KiB, loopback reaches 64 KiB.)"""

MAX_BLOCK = 64 * MIB
"""A pcapng block that claims more is damage: the longest legitimate ones are decryption secrets and name tables."""

MAX_INTERFACES = 65_536
"""Interfaces of one pcapng section: captures of container hosts have thousands, not more."""

# --- IP ----------------------------------------------------------------------------------------------------------

MAX_FRAGMENTED = 256
"""IP datagrams in reassembly at once; the oldest goes first. Linux keeps 4 MB of them."""

MAX_DATAGRAM = 65_535
"""Payload of an IP datagram (RFC 791; jumbograms do not occur in captures)."""

MAX_IPV6_EXTENSIONS = 16
"""Extension headers of one IPv6 packet; RFC 8200 needs at most seven."""

MAX_LINK_HEADERS = 8
"""Stacked VLAN tags, and MPLS labels; two are usual (802.1ad)."""

MAX_TUNNELS = 4
"""Packets within one another; a cluster's overlay on a provider's makes two."""

# --- TCP ---------------------------------------------------------------------------------------------------------

MAX_CONNECTIONS = 16_384
"""Connections tracked at once; the one idle longest is ended first."""

MAX_HALF_OPEN = 4_096
"""Connections of which no payload was seen (scans, SYN floods): the oldest is forgotten first."""

REORDER_WINDOW = 256
"""Segments of a connection that may pass before bytes that were acknowledged, and so will not be sent again, are given
up. Far more than a capture or a network card puts out of order."""

LOSS_WINDOW = 4_096
"""The same where they were not acknowledged: the sender will send them again, after a round trip's worth of others."""

OPENING_WINDOW = 32
"""Segments collected to find the first byte of a direction whose SYN is not in the capture."""

MAX_ACK_AHEAD = 16 * MIB
"""Bytes that a segment may acknowledge beyond those seen; more is a damaged number."""

MAX_GAP = 64 * MIB
"""A hole longer than this is a damaged sequence number, unless several segments (next line) agree."""

STRAY_SEGMENTS = 8
"""Segments that agree on a place in the sequence which is not the expected one, before they are believed."""

MAX_PENDING_BYTES = 8 * MIB
"""Bytes of a connection held behind a hole; the largest common TCP receive window is 6 MiB (Linux tcp_rmem)."""

MAX_PENDING_TOTAL = 128 * MIB
"""The same over all connections; those idle longest give up what they wait for."""

SEGMENT_OVERHEAD = 512
"""What a segment that waits costs beside its bytes, so that many short ones count."""

# --- HTTP/2 ------------------------------------------------------------------------------------------------------

DEFAULT_FRAME_SIZE = 16_384
"""SETTINGS_MAX_FRAME_SIZE until announced otherwise (RFC 9113, 6.5.2)."""

RESYNC_FRAME_SIZE = 4 * MIB
"""Longest frame believed where the settings were not seen (gRPC core announces 4 MiB; HTTP/1 reads as more)."""

MAX_HEADER_BLOCK = 4 * MIB
"""Header block across CONTINUATION frames: it is decoded for what it does to the table, even if most of its fields are
over MAX_HEADER_LIST. After a longer one, the table is forgotten."""

MAX_HEADER_LIST = 256 * KIB
"""Decoded header fields of one block, in bytes of names and values (RFC 7541 counts 32 more each)."""

MAX_HPACK_TABLE = 1 * MIB
"""Dynamic table size that is believed (a peer announces it; 4,096 is the default, 64 KiB is usual for large ones)."""

MAX_STREAMS = 10_000
"""Open streams of one connection; the oldest is ended first. Servers allow 100 to 1,000."""

DETECT_BYTES = 64 * KIB
"""Bytes held of a connection until it is known whether it is HTTP/2."""

DETECT_LOOKS = 1_000
"""Times that the first bytes of a connection are judged anew: at each line of what could be a request with upgrade."""

DETECT_LATE_BYTES = 4 * MIB
"""Bytes searched for frames in a connection whose beginning is not in the capture, before it is passed over."""

# --- gRPC --------------------------------------------------------------------------------------------------------

MAX_MESSAGE = 64 * MIB
"""Length of a gRPC message, before and after decompression. (Servers refuse over 4 MiB unless told otherwise.)"""

MAX_BUFFERED = 256 * MIB
"""Bytes of unfinished messages held at once, over all streams: the memory that a capture may cost."""

MAX_PIECES = 65_536
"""DATA frames whose place is kept for one message; more only where someone sends a message byte by byte."""

MAX_CLOSED_STREAMS = 4_096
"""Ended streams of one connection remembered, so that late frames of them are not taken for new calls."""

MAX_COMPRESSION_RATIO = 2_000
"""Decompressed to compressed: deflate ends at 1,032; a higher ratio than this is a bomb, whatever its size."""

MAX_LOGGED_CALLS = 65_536
"""Calls of a binary log that did not end: the oldest is let go first. Servers have some thousands open."""

LOG_ORDER_WINDOW = 1_000
"""Entries of a binary log that may pass before one that is missing in a call is given up: threads that write a log put
only few out of order."""

# --- protobuf ----------------------------------------------------------------------------------------------------

MAX_DEPTH = 100
"""Nesting of messages (protobuf's own default)."""

MAX_JSON_GROWTH = 256
"""JSON text to the bytes that it is of, where a kernel writes it: keys may be long, and defaults many."""

MAX_JSON_NOTES = 64 * MIB
"""Bytes in which a kernel notes where fields of a message or entries of its maps stand, to put them in order: up to
twenty-five times the message. Beyond it they do not grow; the last time they may have doubled."""

MAX_GUESS_OCCURRENCES = 200
"""Occurrences of a field that are judged to guess its kind: many more than it takes to be sure."""

FIRST_GUESS_OCCURRENCES = 30
"""Contents of a field that are looked at first, spread over all; the others only where these leave a doubt."""

MAX_GUESS_LARGE = 20
"""The same where they are over MAX_JUDGED_BYTES in the mean: each of them says more."""

MAX_GUESS_FIELDS = 200
"""Fields of a message, and elements of a packed field, that are weighed for the same end; all of them have to parse."""

MAX_JUDGED_BYTES = 64 * KIB
"""Bytes of a content by which its kind is guessed; what they say of the rest is checked where that is read."""

MAX_SAMPLED_FIELDS = 2_000
"""Fields of a message by which the field tree guesses what they all are; a message of 100 MB may have millions."""

MIN_SAMPLED_FIELDS = 400
"""The same of what lies in them: half as many fields at each level further in, but no less than these."""

MAX_SAMPLED_CONTENTS = 2_000
"""Contents of one field by which it guesses what lies in them: each has fields of its own."""

MAX_ALIASED = 4 * MIB
"""Characters and nodes that the aliases of a YAML document may repeat: a billion laughs take some hundred bytes."""

MAX_SINGLE_MESSAGE = 1024 * MIB
"""A message that is the whole input (protobuf allows 2 GiB)."""

MAX_LONG_FORM = 1_000
"""Needless bytes of a varint in protoscope text (`long-form:N`): parsers refuse over nine, and tests try some more."""

MAX_SAMPLED_INPUT = 4 * MIB
"""Bytes at the beginning of a file whose messages are judged together, where no schema tells what they are."""

MAX_SAMPLED_MESSAGES = 200
"""Messages of one method and direction among them: more say nothing new."""

MAX_TEMPLATE_FIELDS = 10_000
"""Fields of a message to fill in: nobody edits more, and types that hold each other make any number."""

MAX_TEMPLATE_DEPTH = 32
"""Messages within messages of it."""

MAX_SCHEMA = 512 * MIB
"""Size of a descriptor-set file."""

MAX_UNPACKED = 1024 * MIB
"""Bytes decompressed in all, while binaries and archives are searched for descriptors."""

MAX_UNPACKED_MEMBER = 256 * MIB
"""The same for one member of an archive, which is held in memory; the rest of it is not looked at."""

MAX_NESTED_ARCHIVES = 4
"""Archives in archives: a jar in a zip in a gzip is three."""

MAX_SEARCHED_FILES = 100_000
"""Files of folders, and members of archives, that are searched for descriptors."""

MAX_EXTRACTED = 50_000
"""File descriptors found in one go: googleapis, the largest schema about, has 7,000."""

MAX_INFERRED_MESSAGES = 20_000
"""Messages that a schema is inferred from; the types of more have mostly been seen by then."""

MAX_INFERRED_BYTES = 256 * MIB
"""The same in bytes, as all of them are held in memory."""

MAX_INFERRED_TYPES = 1_000
"""Message types of an inferred schema; what would be one more is left as bytes."""

MAX_INFERRED_FIELDS = 1_000
"""Fields of an inferred type: protobuf builds no message of more than some thousands. The rest is left out."""

MAX_REFLECTION_REQUESTS = 20_000
"""Questions asked of one server by reflection: two for each file of a schema of 10,000."""

MAX_REFLECTION_PENDING = 64
"""Of these, those that are asked before earlier ones are answered: a round trip is not waited for each time."""

MAX_REFLECTED_BYTES = 64 * MIB
"""File descriptors taken from one server (20 MB are all of googleapis), and the length of one answer."""

MAX_REFLECTED_REPEATS = 512 * MIB
"""The same with files that it sends again: many servers send with a file all that it imports, each time."""

MAX_REFLECTED_NAMES = 64 * MIB
"""Characters of all full names in these, with 64 for each: nesting makes names long that take few bytes."""

REFLECTION_PATIENCE = 10.0
"""Seconds without an answer after which a server is taken to give none."""

MAX_REFLECTION_TIME = 120.0
"""Seconds for all of it."""

MAX_REFLECTION_AGE = 600.0
"""Seconds for which a schema that a server gave is used again: while one works with a server, one seldom changes it."""

# --- index of a capture ------------------------------------------------------------------------------------------

MAX_INDEX_KINDS = 65_536
"""Different methods and authorities that an index keeps a table of; those of further ones stand with each call."""

MAX_INDEX_REMEMBERED = 8_192
"""Header blocks, values, end points that are found again when they repeat; then they are forgotten, and begin anew."""

MAX_INDEX_PACKETS = 262_144
"""Packets whose place in the file is known while it is read: messages take no more packets than these to become whole.
(Of one that does, the bytes are copied.)"""

MAX_INDEX_PROBLEMS = 10_000
"""Problems that belong to no call that an index keeps; the rest is counted."""

MIN_INDEX_CACHED = 4 * MIB
"""Size of a capture from which its index is kept in the user's cache folder: smaller ones are read as quickly."""

INDEX_PAGE = 64 * KIB
"""Bytes of a kept index that share a checksum, and so are read together."""

# --- live calls --------------------------------------------------------------------------------------------------

MAX_IDLE_FRAMES = 10_000
"""Frames of a server that move no call (SETTINGS, PING, empty DATA, ...), one after the other: more are a flood."""

MAX_HTTP_BODY = 1 * KIB
"""Bytes kept of the body of a response that is not gRPC: enough for the line that says what is wrong."""

MAX_STATUS_DOCUMENT = 1 * MIB
"""Bytes of what tells the end of a call within a body: trailers of gRPC-Web, errors of Connect. HTTP/2 has a quarter of
it for headers, and base64 in JSON takes more."""

MAX_INFORMATIONAL = 100
"""Responses of HTTP/1.1 that only announce another one (100, 103), before one request is answered."""

MAX_DRAINED = 64 * KIB
"""Bytes of a body read on after the call has ended, so that its connection can be used again."""

MAX_REPLAYED_CALL = 256 * MIB
"""Bytes of messages of a captured call that is made again, and of all that are at one time: they are held meanwhile."""

MAX_REPLAY_DIFFERENCES = 1_000
"""Differences told of one call, and responses beyond those of the capture after which it is given up; more say nothing
new."""

MAX_REPLAY_FAILURES = 5
"""Calls that do not reach the server, one after the other, after which no more are tried."""

MAX_REPLAY_NAMES = 100
"""Names of header fields that are told as left out, for one reason."""

# --- output ------------------------------------------------------------------------------------------------------

CALL_ORDER_WINDOW = 1_000
"""Finished calls held back so that they are listed in the order in which they began."""

MAX_PROBLEMS = 100
"""Problems kept for one call; the rest is counted."""

MAX_SHOWN_VALUE = 1_000
"""Characters or bytes of one value that `explain` looks at to show it; the rest is a count. No terminal is wider."""

MAX_SHOWN_ROWS = 1_000
"""Rows of an explanation where a notebook or a prompt shows it; there nobody reads more, and browsers grow slow."""

MAX_COMPARED_BYTES = 32 * MIB
"""Of two messages that are compared field by field on the screen, where their type is known. Larger ones are compared
by their bytes, as are those of more values."""

MAX_COMPARED_VALUES = 1_500_000
"""Values in these two: some seconds, and half a gigabyte."""

MAX_COMPARED_GUESSED = 4 * MIB
"""The same where it is not known: guessing takes ten times as long."""

MAX_COMPARED_CALL = 64 * MIB
"""Bytes of the messages of one of two calls: all of them are held meanwhile."""

MAX_COMPARED_ROWS = 100_000
"""Differences, and what is equal between them, that are listed on the screen."""

MAX_COMPARED_LEAVES = 1_000
"""Fields that are shown of one value which only one side has, or which is the same in both; then it is a count."""

# --- the cache folder --------------------------------------------------------------------------------------------

MAX_CACHE_BYTES = 512 * MIB
"""Of all entries: room for the index of a capture of a million calls (200 MB), and for hundreds of compiled schemas."""

MAX_CACHE_ENTRIES = 500
"""Entries kept: what was used in the last weeks. Each costs a look at its time whenever one is written."""

MAX_SECONDS = 1e9
"""Longest time that may be asked for, 30 years: what is longer has no form in `grpc-timeout`, nor an end."""

# --- the state folder --------------------------------------------------------------------------------------------

MAX_STATE_SIZE = 64 * KIB
"""Bytes that are remembered of one file: a filter and a thousand marks have room."""

MAX_STATE_ENTRIES = 200
"""Files of which the terminal UI remembers where the user was."""

MAX_STATE_BYTES = MAX_STATE_ENTRIES * MAX_STATE_SIZE
"""Bytes of all that is remembered."""

MAX_CRASH_SIZE = 64 * KIB
"""Bytes of a log of a failure: a traceback has some 10 KB."""

MAX_CRASH_LOGS = 20
"""Logs of failures that are kept."""

MAX_WEB_SESSIONS = 16
"""Pages that are open at once: each is a process."""

MAX_PASTED = 4 * MIB
"""Bytes of a payload that is pasted as text: a terminal takes seconds for that, and a file is opened at any size."""

MAX_SHOWN_JSON = 1_000_000
"""Bytes of a message that the terminal UI shows as JSON at once: laying the lines out takes up to half a second."""

# --- requests that are kept --------------------------------------------------------------------------------------

MAX_REQUEST_FILE = 16 * MIB
"""Bytes of a request file: what a person edits is below 1 MB, and base64 of all that servers take below this."""

MAX_REQUEST_FILES = 5_000
"""Files of a folder of requests, and of those in it, that are listed; larger ones than MAX_LISTED_REQUEST by name."""

MAX_LISTED_REQUEST = 256 * KIB
"""Bytes of a request file that is read for the list, and of its preview."""

MAX_HISTORY_ENTRIES = 500
"""Requests that the history keeps: some weeks of work by hand."""

MAX_HISTORY_BYTES = 16 * MIB
"""Bytes of all of them."""

MAX_HISTORY_REQUEST = 256 * KIB
"""Bytes of the messages of one of them; those of a larger one are not kept."""
