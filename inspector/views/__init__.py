"""Records as people and programs read them: NDJSON rows, table rows, trees of text. No toolkit in it."""
