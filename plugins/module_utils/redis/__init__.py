"""Redis over TLS with the standard library, and what the answers of several servers mean together."""
