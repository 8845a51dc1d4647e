# Managed by Ansible (trinitycore.mcp): changes made here are lost.
"""Back up databases of the local server, verify backups, and restore them.

A backup is a folder named after its start (UTC): one compressed dump per database and `manifest.json`. It appears
under its name only when it is complete and was read back. Needs Python 3.10, zstd, and the client programs of MariaDB
or MySQL.
"""
