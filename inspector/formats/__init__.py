"""One text form of a message per module, both ways. `registry` lists them."""
