"""The records that flow between the layers: frozen, slotted, without behaviour of their own.

The records of the capture path are named tuples (they are made a million times), the others frozen dataclasses.
Times are integers: nanoseconds since the Unix epoch, or None where the input carries none.
"""
