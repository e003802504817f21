"""Between protobuf bytes and values, by a schema."""
