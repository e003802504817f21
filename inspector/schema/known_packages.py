"""The packages whose types need no source.

Descriptor sets carry copies of these files, of all ages. That two of them differ is no conflict: the first wins.
"""

KNOWN_PACKAGES = (
    "google.protobuf",
    "google.protobuf.compiler",
    "google.rpc",
    "google.rpc.context",
    "google.api",
    "google.type",
    "google.longrunning",
    "google.logging.type",
)
