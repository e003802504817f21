"""A message as a form: its fields as rows, which are edited one by one. No toolkit in it."""
