"""The configuration's shape: what may stand in config.yml, of which type, with which default.

Reading it (file, environment, error messages) is config_load's part.
"""

from trinitycore_mcp.config.access import Algorithm, Auth, Jwt, Limits, Rate
from trinitycore_mcp.config.cache import Cache, ToolCache, WarmCall
from trinitycore_mcp.config.database import Breaker, Database, DatabaseHost, DatabaseNames, DatabaseTls, Pool, Writer
from trinitycore_mcp.config.listeners import ListenerTls, Metrics, Server
from trinitycore_mcp.config.observability import Logging, Sentry, Tracing
from trinitycore_mcp.config.operations import Backup, Leader, Players, Retention, State, Tools
from trinitycore_mcp.config.redis import Redis, RedisHost, RedisTls, Sentinel, SentinelHost
from trinitycore_mcp.config.root import Config
from trinitycore_mcp.config.types import DatabaseName, FileName, HostName, Port, Seconds, SecretFile, Section, ToolName

__all__ = [
    "Algorithm",
    "Auth",
    "Backup",
    "Breaker",
    "Cache",
    "Config",
    "Database",
    "DatabaseHost",
    "DatabaseName",
    "DatabaseNames",
    "DatabaseTls",
    "FileName",
    "HostName",
    "Jwt",
    "Leader",
    "Limits",
    "ListenerTls",
    "Logging",
    "Metrics",
    "Players",
    "Pool",
    "Port",
    "Rate",
    "Redis",
    "RedisHost",
    "RedisTls",
    "Retention",
    "Seconds",
    "SecretFile",
    "Section",
    "Sentinel",
    "SentinelHost",
    "Sentry",
    "Server",
    "State",
    "ToolCache",
    "ToolName",
    "Tools",
    "Tracing",
    "WarmCall",
    "Writer",
]
