"""Resources, prompts and completion."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, TypeVar

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    PromptArgument,
    PromptMessage,
    PromptReference,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)
from mcp.types import Prompt as WirePrompt
from mcp.types import Resource as WireResource
from msgspec import Struct

from trinitycore_mcp.errors import ToolError, did_you_mean
from trinitycore_mcp.protocol.context import principal_of, trace_of
from trinitycore_mcp.services import Services
from trinitycore_mcp.toolkit.call import Call
from trinitycore_mcp.toolkit.prompt import Prompt
from trinitycore_mcp.toolkit.resource import Complete, Resource

Context = ServerRequestContext[Any, Any]
T = TypeVar("T")
_MOST_COMPLETIONS = 100
# Kinds of errors that asking otherwise would not have kept from happening.
_OURS = frozenset({"database", "timeout"})


class Nothing(Struct, frozen=True):
    """No arguments: a call that is not a tool's."""


class ContentHandlers:
    """Answers for resources, prompts and completion."""

    def __init__(self, services: Services, resources: Iterable[Resource], prompts: Iterable[Prompt]) -> None:
        self._services = services
        self._resources = tuple(sorted(resources, key=lambda each: each.uri))
        self._prompts: Mapping[str, Prompt] = {each.name: each for each in sorted(prompts, key=lambda each: each.name)}

    def _call(self, ctx: Context, what: str) -> Call:
        return Call(self._services, principal_of(ctx), what, Nothing(), trace_of(ctx))

    def _seen(self, ctx: Context) -> list[Resource]:
        principal = principal_of(ctx)
        return [each for each in self._resources if principal.may(each.scope)]

    async def _bounded(self, work: Awaitable[T], prefix: str = "", data: Any = None) -> T:
        """Return what the work comes to, in the time that a tool would have.

        :param prefix: what an error's message begins with.
        :raises MCPError: it can't be had (-32602), or not now (-32603).
        """
        seconds = self._services.config.server.tool_timeout
        try:
            async with asyncio.timeout(seconds) as limit:
                return await work
        except ToolError as error:
            raise MCPError(
                INTERNAL_ERROR if error.kind in _OURS else INVALID_PARAMS, prefix + str(error), data
            ) from error
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise MCPError(INTERNAL_ERROR, f"{prefix}took longer than {seconds:g} s and was stopped", data) from error

    async def list_resources(self, ctx: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        """Answer resources/list: those with an address of their own."""
        del params
        return ListResourcesResult(
            resources=[
                WireResource(
                    uri=each.uri,
                    name=each.name,
                    title=each.title,
                    description=each.description,
                    mime_type=each.mime_type,
                )
                for each in self._seen(ctx)
                if not each.is_template
            ]
        )

    async def list_templates(self, ctx: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        """Answer resources/templates/list."""
        del params
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    uri_template=each.uri,
                    name=each.name,
                    title=each.title,
                    description=each.description,
                    mime_type=each.mime_type,
                )
                for each in self._seen(ctx)
                if each.is_template
            ]
        )

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Answer resources/read.

        :raises MCPError: there is no such resource (-32602, as of protocol 2026-07-28), or it can't be read now.
        """
        uri = str(params.uri)
        for each in self._seen(ctx):
            variables = each.variables(uri)
            if variables is None:
                continue
            text = await self._bounded(each.read(self._call(ctx, "resource"), **variables), data={"uri": uri})
            return ReadResourceResult(
                contents=[TextResourceContents(uri=params.uri, mime_type=each.mime_type, text=text)]
            )
        raise MCPError(INVALID_PARAMS, f"Unknown resource: {uri[:200]}", {"uri": uri})

    async def list_prompts(self, ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        """Answer prompts/list."""
        del params
        principal = principal_of(ctx)
        return ListPromptsResult(
            prompts=[
                WirePrompt(
                    name=each.name,
                    title=each.title,
                    description=each.description,
                    arguments=[
                        PromptArgument(name=one.name, description=one.description, required=one.required)
                        for one in each.arguments
                    ],
                )
                for each in self._prompts.values()
                if principal.may(each.scope)
            ]
        )

    async def get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """Answer prompts/get.

        :raises MCPError: there is no such prompt, its arguments don't fit, or what it tells can't be looked up now.
        """
        prompt = self._prompts.get(params.name)
        if prompt is None or not principal_of(ctx).may(prompt.scope):
            raise MCPError(
                INVALID_PARAMS, f"Unknown prompt: {params.name[:64]}{did_you_mean(params.name, self._prompts)}"
            )
        given = dict(params.arguments or {})
        known = {one.name: one for one in prompt.arguments}
        missing = [name for name, one in known.items() if one.required and not given.get(name)]
        unknown = [name for name in given if name not in known]
        if missing or unknown:
            wrong = [f"argument {name} is missing: {known[name].description}" for name in missing]
            wrong += [f"unknown argument {name[:64]}{did_you_mean(name, known)}" for name in unknown]
            raise MCPError(INVALID_PARAMS, f"{prompt.name}: {'; '.join(wrong)}")
        text = await self._bounded(prompt.render(self._call(ctx, "prompt"), **given), f"{prompt.name}: ")
        return GetPromptResult(
            description=prompt.description,
            messages=[PromptMessage(role="user", content=TextContent(type="text", text=text))],
        )

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        """Answer completion/complete: values of a prompt's argument or a template's variable.

        :raises MCPError: there is no such prompt or template, or nothing can be looked up now.
        """
        name = params.argument.name
        if isinstance(params.ref, PromptReference):
            prompt = self._prompts.get(params.ref.name)
            if prompt is None or not principal_of(ctx).may(prompt.scope):
                raise MCPError(INVALID_PARAMS, f"Unknown prompt: {params.ref.name[:64]}")
            by_name: Mapping[str, Complete | None] = {one.name: one.complete for one in prompt.arguments}
        else:
            found = [each for each in self._seen(ctx) if each.uri == params.ref.uri]
            if not found:
                raise MCPError(INVALID_PARAMS, f"Unknown resource template: {str(params.ref.uri)[:200]}")
            by_name = found[0].complete
        complete = by_name.get(name)
        values: list[str] = []
        if complete is not None:
            values = await self._bounded(complete(self._call(ctx, "completion"), params.argument.value))
        shown = values[:_MOST_COMPLETIONS]
        return CompleteResult(completion=Completion(values=shown, total=None, has_more=len(values) > len(shown)))
