"""Protobuf bytes without a schema: where the fields lie (`scan`), what they may mean (`guess`), and that as JSON to
edit and write back (`untyped`)."""
