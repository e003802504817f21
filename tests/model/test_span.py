from inspector.model.span import Span


def test_a_span_has_a_size_and_slices_bytes():
    span = Span(2, 5)
    assert span.size == 3
    assert b"0123456"[slice(*span)] == b"234"
