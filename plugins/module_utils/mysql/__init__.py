"""What the database modules share: connections, GTID arithmetic, server state, topology, accounts, SQL files.

Differences between server flavours live in `flavor.py` and nowhere else.
"""
