"""What we serve over HTTP: /mcp with its fast path, health, metadata, and metrics on a listener of their own."""
