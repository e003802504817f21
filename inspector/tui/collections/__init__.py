"""Requests that are kept: files of a folder, what was sent, and commands that are pasted."""
