"""What `trinitycore.mcp.component` does on a host: accounts, paths, files and units of one component.

Standard library only, Python 3.10 and newer: this code runs on targets.
"""
