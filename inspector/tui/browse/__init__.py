"""Browsing what was captured: calls, messages, fields and bytes, side by side."""
