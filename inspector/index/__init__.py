"""The index of a capture: each call and message of a file of any size, by number, at once.

`layout` says how it is laid out, `writer_cy` makes it, `builder` reads the input for that, `records` reads calls and
messages out of it, `spool` and `saved` hold its bytes, `capture_index` composes them.
"""
