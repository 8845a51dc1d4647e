"""Resources, prompts and completion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
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
_MOST_COMPLETIONS = 100


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

        :raises MCPError: there is no such resource (-32602, as of protocol 2026-07-28).
        """
        uri = str(params.uri)
        for each in self._seen(ctx):
            variables = each.variables(uri)
            if variables is None:
                continue
            try:
                text = await each.read(self._call(ctx, "resource"), **variables)
            except ToolError as error:
                raise MCPError(INVALID_PARAMS, str(error), {"uri": uri}) from error
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

        :raises MCPError: there is no such prompt, or its arguments don't fit.
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
        try:
            text = await prompt.render(self._call(ctx, "prompt"), **given)
        except ToolError as error:
            raise MCPError(INVALID_PARAMS, f"{prompt.name}: {error}") from error
        return GetPromptResult(
            description=prompt.description,
            messages=[PromptMessage(role="user", content=TextContent(type="text", text=text))],
        )

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> CompleteResult:
        """Answer completion/complete: values of a prompt's argument or a template's variable.

        :raises MCPError: there is no such prompt or template.
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
            try:
                values = await complete(self._call(ctx, "completion"), params.argument.value)
            except ToolError as error:
                raise MCPError(INVALID_PARAMS, str(error)) from error
        shown = values[:_MOST_COMPLETIONS]
        return CompleteResult(completion=Completion(values=shown, total=None, has_more=len(values) > len(shown)))
