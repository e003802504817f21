"""What differs between two messages or two calls: picking both, and showing it."""
