"""The command line, one command per file. What it prints is made by `inspector.views`."""
