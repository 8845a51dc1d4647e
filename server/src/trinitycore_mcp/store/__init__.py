"""Our own database: its tables, by migrations, and connections of the commands that are no server.

Imported by migrate-db and keys only; the server reads and writes by database/.
"""

from trinitycore_mcp.store.connection import Account, Connection, StoreError, connect

__all__ = ["Account", "Connection", "StoreError", "connect"]
