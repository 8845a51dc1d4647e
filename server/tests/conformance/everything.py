"""The server with what the public conformance suite calls by name.

Start: `python -m server.tests.conformance.everything CONFIG`.

Tools, resources and prompts of these names exist only here; production never loads this module. The plain ones are
tools as ours are, so that the suite judges the fast path; those that ask the client something, log or change lists are
handlers of the SDK's server, as the protocol has them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.types import (
    CallToolRequestParams,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    EmptyResult,
    GetPromptRequestParams,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    SetLevelRequestParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from server.tests.conformance import asking, contents, simple
from trinitycore_mcp import config_load, lifecycle, logs, tools
from trinitycore_mcp.lifecycle import instance, parts

Context = ServerRequestContext[Any, Any]


def extend(server: Server[Any], bus: Any) -> None:
    """Put the suite's handlers before the server's own."""
    handlers: dict[str, Any] = {method: entry.handler for method, entry in server._request_handlers.items()}

    async def call(ctx: Context, params: CallToolRequestParams) -> Any:
        if params.name == "test_trigger_tool_change":
            await bus.publish(ToolsListChanged())
        elif params.name == "test_trigger_prompt_change":
            await bus.publish(PromptsListChanged())
        answer = await asking.call(ctx, params)
        return answer if answer is not None else await handlers["tools/call"](ctx, params)

    async def get_prompt(ctx: Context, params: GetPromptRequestParams) -> Any:
        answer = contents.prompt(params)
        return answer if answer is not None else await handlers["prompts/get"](ctx, params)

    async def read(ctx: Context, params: ReadResourceRequestParams) -> Any:
        answer = contents.read(str(params.uri))
        return answer if answer is not None else await handlers["resources/read"](ctx, params)

    async def list_prompts(ctx: Context, params: PaginatedRequestParams) -> ListPromptsResult:
        ours = await handlers["prompts/list"](ctx, params)
        return ListPromptsResult(prompts=[*contents.PROMPTS, *ours.prompts])

    async def list_resources(ctx: Context, params: PaginatedRequestParams) -> ListResourcesResult:
        ours = await handlers["resources/list"](ctx, params)
        return ListResourcesResult(resources=[*contents.RESOURCES, *ours.resources])

    async def list_templates(ctx: Context, params: PaginatedRequestParams) -> ListResourceTemplatesResult:
        ours = await handlers["resources/templates/list"](ctx, params)
        return ListResourceTemplatesResult(resource_templates=[*contents.TEMPLATES, *ours.resource_templates])

    async def complete(_ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        values = [value for value in ("paris", "park", "party") if value.startswith(params.argument.value)]
        return CompleteResult(completion=Completion(values=values, total=len(values), has_more=False))

    async def nothing(_ctx: Context, _params: Any) -> EmptyResult:
        return EmptyResult()

    server.add_request_handler("tools/call", CallToolRequestParams, call)
    server.add_request_handler("prompts/get", GetPromptRequestParams, get_prompt)
    server.add_request_handler("resources/read", ReadResourceRequestParams, read)
    server.add_request_handler("prompts/list", PaginatedRequestParams, list_prompts)
    server.add_request_handler("resources/list", PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/templates/list", PaginatedRequestParams, list_templates)
    server.add_request_handler("completion/complete", CompleteRequestParams, complete)
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, nothing)
    server.add_request_handler("resources/subscribe", SubscribeRequestParams, nothing)
    server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, nothing)


def assemble(loaded: config_load.Loaded, *, leads: bool = True) -> parts.Parts:
    """Put an instance together, the suite's fixtures beside our tools."""
    ours = tools.catalogue
    tools.catalogue = lambda config: (*ours(config), *simple.TOOLS, *asking.TOOLS)
    try:
        made = parts.assemble(loaded, leads=leads)
    finally:
        tools.catalogue = ours
    extend(made.protocol, made.bus)
    return made


def main() -> None:
    """Serve until a signal ends it."""
    loaded = config_load.load(Path(sys.argv[1]))
    logs.configure(loaded.config.logging.level)
    instance.assemble = assemble  # type: ignore[attr-defined]  # the one seam between the server and this module
    lifecycle.serve(loaded)


if __name__ == "__main__":
    main()
