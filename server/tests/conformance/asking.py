"""Tools of the conformance suite that say or ask something while they run: handlers of the SDK's server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    TextContent,
)

from trinitycore_mcp.toolkit import NONE, Call, Content, Tool, define

Context = ServerRequestContext[Any, Any]
_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


def _done(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)])


def _elicit(message: str, name: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def _sample(question: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": {"type": "text", "text": question}}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": 100}}


_ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}


def _ask(requests: dict[str, Any], state: str | None = None) -> InputRequiredResult:
    return InputRequiredResult.model_validate({"inputRequests": requests, "requestState": state})


def _answers(params: CallToolRequestParams) -> dict[str, Any]:
    given = params.input_responses or {}
    return {name: answer.model_dump(mode="json", by_alias=True) for name, answer in given.items()}


def _capabilities(ctx: Context) -> dict[str, Any]:
    given = (ctx.meta or {}).get(_CAPABILITIES)
    return given if isinstance(given, dict) else {}


async def _one_question(params: CallToolRequestParams, key: str, request: dict[str, Any]) -> Any:
    answers = _answers(params)
    if key not in answers:
        return _ask({key: request})
    return _done(f"answered: {json.dumps(answers[key])}")


async def _elicitation(ctx: Context, params: CallToolRequestParams) -> Any:
    return await _one_question(params, "user_name", _elicit("What is your name?", "name"))


async def _sampling(ctx: Context, params: CallToolRequestParams) -> Any:
    return await _one_question(params, "capital_question", _sample("What is the capital of France?"))


async def _list_roots(ctx: Context, params: CallToolRequestParams) -> Any:
    return await _one_question(params, "client_roots", _ROOTS)


async def _request_state(ctx: Context, params: CallToolRequestParams) -> Any:
    if params.request_state is None:
        return _ask({"confirm": _elicit("Please confirm", "ok", "boolean")}, "confirming")
    if params.request_state != "confirming":
        raise MCPError(INVALID_PARAMS, "unexpected state")
    return _done("state-ok")


async def _multiple_inputs(ctx: Context, params: CallToolRequestParams) -> Any:
    requests = {
        "user_name": _elicit("What is your name?", "name"),
        "greeting": _sample("Say hello"),
        "client_roots": _ROOTS,
    }
    if set(_answers(params)) >= set(requests) and params.request_state == "several":
        return _done("all answered")
    return _ask(requests, "several")


async def _multi_round(ctx: Context, params: CallToolRequestParams) -> Any:
    answers = _answers(params)
    if params.request_state is None:
        return _ask({"step1": _elicit("Step 1: What is your name?", "name")}, "round 1")
    if params.request_state == "round 1" and "step1" in answers:
        return _ask({"step2": _elicit("Step 2: What is your favorite color?", "color")}, "round 2")
    return _done("both steps answered")


async def _supported_only(ctx: Context, params: CallToolRequestParams) -> Any:
    known = {
        "elicitation": ("user_name", _elicit("What is your name?", "name")),
        "sampling": ("greeting", _sample("Say hello")),
        "roots": ("client_roots", _ROOTS),
    }
    able = [request for name, request in known.items() if name in _capabilities(ctx)]
    return _ask(dict(able)) if able and not _answers(params) else _done("nothing to ask")


async def _missing_capability(ctx: Context, params: CallToolRequestParams) -> Any:
    if "sampling" not in _capabilities(ctx):
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "this tool needs the capability sampling", needed)
    return _done("the client can sample")


async def _streaming_elicitation(ctx: Context, params: CallToolRequestParams) -> Any:
    await ctx.session.report_progress(1, 2)
    return await _elicitation(ctx, params)


async def _logging(ctx: Context, params: CallToolRequestParams) -> Any:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message(level="info", data=text, related_request_id=ctx.request_id)
        await asyncio.sleep(0.05)
    return _done("logged")


async def _changed(ctx: Context, params: CallToolRequestParams) -> Any:
    """Say so; who calls this has told the bus."""
    return _done("changed")


async def _needs_back_channel(ctx: Context, params: CallToolRequestParams) -> Any:
    """Ask over a channel that a stateless server does not have: the suite's expected failures."""
    await ctx.session.create_message(messages=[], max_tokens=1, related_request_id=ctx.request_id)
    return _done("asked")


Handler = Callable[[Context, CallToolRequestParams], Awaitable[Any]]
_HANDLERS: dict[str, Handler] = {
    "test_input_required_result_elicitation": _elicitation,
    "test_input_required_result_sampling": _sampling,
    "test_input_required_result_list_roots": _list_roots,
    "test_input_required_result_request_state": _request_state,
    "test_input_required_result_tampered_state": _request_state,
    "test_input_required_result_multiple_inputs": _multiple_inputs,
    "test_input_required_result_multi_round": _multi_round,
    "test_input_required_result_capabilities": _supported_only,
    "test_missing_capability": _missing_capability,
    "test_streaming_elicitation": _streaming_elicitation,
    "test_trigger_tool_change": _changed,
    "test_trigger_prompt_change": _changed,
    "test_tool_with_logging": _logging,
    "test_logging_tool": _logging,
    "test_sampling": _needs_back_channel,
    "test_elicitation": _needs_back_channel,
    "test_elicitation_sep1034_defaults": _needs_back_channel,
    "test_elicitation_sep1330_enums": _needs_back_channel,
}


async def call(ctx: Context, params: CallToolRequestParams) -> Any:
    """Answer a call of one of these tools, None for another one."""
    handler = _HANDLERS.get(params.name)
    return await handler(ctx, params) if handler is not None else None


async def _never(call: Call) -> Content:
    raise AssertionError("answered by the SDK's handler")


def _listed(name: str) -> Tool:
    return define(
        name,
        _never,
        Content,
        title=name,
        description=f"Fixture {name} of the conformance suite",
        cache=NONE,
        streams=True,  # so that calls are never answered on the fast path
    )


TOOLS: tuple[Tool, ...] = tuple(_listed(name) for name in _HANDLERS)
