"""Composing requests by hand, and sending them."""
