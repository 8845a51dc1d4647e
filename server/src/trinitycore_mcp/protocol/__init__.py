"""The protocol: the SDK's server with our tools, resources and prompts behind it."""

from trinitycore_mcp.protocol.server import build

__all__ = ["build"]
