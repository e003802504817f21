"""Protobuf bytes without a schema: where the fields lie (`scan`), and what they may mean (`guess`)."""
