"""The SDK's server with our handlers: it answers all that the fast path does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import ListenHandler

from trinitycore_mcp import __version__
from trinitycore_mcp.dispatch import Dispatcher
from trinitycore_mcp.observe.recorder import Recorder
from trinitycore_mcp.protocol.contents import ContentHandlers
from trinitycore_mcp.protocol.context import principal_of
from trinitycore_mcp.protocol.observer import Observer
from trinitycore_mcp.protocol.tools import ToolHandlers
from trinitycore_mcp.services import Services
from trinitycore_mcp.toolkit.prompt import Prompt
from trinitycore_mcp.toolkit.resource import Resource

if TYPE_CHECKING:
    from trinitycore_mcp.observe.tracing import Tracing

NAME = "trinitycore-mcp"
_INSTRUCTIONS = (
    "Tools over the databases of a World of Warcraft server emulator (TrinityCore or AzerothCore): its world "
    "(creatures, items, quests, loot, scripts, spawns), its players, its consistency, its schema, and this server "
    "itself. Search when you know a name, get when you know an id; results name the calls that lead on. The game's "
    "databases are only read. Answers are bounded: pass next_cursor as cursor for the next page."
)
# What a client may keep: lists and documents change with a release or an update of the world. Private, since scopes
# decide what is in them.
_HINTS: dict[CacheableMethod, CacheHint] = {
    "tools/list": CacheHint(ttl_ms=300_000),
    "prompts/list": CacheHint(ttl_ms=300_000),
    "resources/list": CacheHint(ttl_ms=300_000),
    "resources/templates/list": CacheHint(ttl_ms=300_000),
    "resources/read": CacheHint(ttl_ms=30_000),
    "server/discover": CacheHint(ttl_ms=300_000),
}


def build(
    services: Services,
    dispatcher: Dispatcher,
    recorder: Recorder,
    listen: ListenHandler,
    *,
    resources: Iterable[Resource] = (),
    prompts: Iterable[Prompt] = (),
    request_state_keys: Sequence[str] = (),
    tracing: Tracing | None = None,
) -> Server[Any]:
    """Return the server.

    :param request_state_keys: what seals a request's state between its rounds, the same on all instances; none given:
        a key of this process.
    :param tracing: makes a span of each request.
    """
    tools = ToolHandlers(dispatcher)
    contents = ContentHandlers(services, resources, prompts)
    server: Server[Any] = Server(
        NAME,
        title="TrinityCore MCP",
        version=__version__,
        instructions=_INSTRUCTIONS,
        cache_hints=_HINTS,
        get_tool_input_schema=tools.input_schema,
        on_list_tools=tools.list,
        on_call_tool=tools.call,
        on_list_resources=contents.list_resources,
        on_list_resource_templates=contents.list_templates,
        on_read_resource=contents.read_resource,
        on_list_prompts=contents.list_prompts,
        on_get_prompt=contents.get_prompt,
        on_completion=contents.complete,
        on_subscriptions_listen=listen,
    )
    security = (
        RequestStateSecurity(keys=list(request_state_keys), bind_principal=_owner)
        if request_state_keys
        else RequestStateSecurity.ephemeral()
    )
    # The SDK's own spans would come on top of ours, and without a header's traceparent.
    server.middleware[:] = [each for each in server.middleware if type(each).__name__ != "OpenTelemetryMiddleware"]
    server.middleware.append(Observer(recorder, tracing))
    server.middleware.append(RequestStateBoundary(security, default_audience=NAME))
    return server


def _owner(ctx: ServerRequestContext[Any, Any]) -> str:
    """Return whose request state it is: nobody else can go on with it."""
    principal = principal_of(ctx)
    return f"{principal.method}:{principal.name}"
