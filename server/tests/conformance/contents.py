"""Resources and prompts of the conformance suite."""

from __future__ import annotations

from typing import Any

from mcp.types import (
    BlobResourceContents,
    EmbeddedResource,
    GetPromptRequestParams,
    GetPromptResult,
    ImageContent,
    InputRequiredResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)

from server.tests.conformance.simple import PNG

RESOURCES = [
    Resource(uri="test://static-text", name="static-text", mime_type="text/plain"),
    Resource(uri="test://static-binary", name="static-binary", mime_type="image/png"),
    Resource(uri="test://watched-resource", name="watched-resource", mime_type="text/plain"),
]
TEMPLATES = [ResourceTemplate(uri_template="test://template/{id}/data", name="template", mime_type="application/json")]
PROMPTS = [
    Prompt(name="test_simple_prompt", description="A simple prompt"),
    Prompt(
        name="test_prompt_with_arguments",
        description="A prompt with arguments",
        arguments=[
            PromptArgument(name="arg1", description="First test argument", required=True),
            PromptArgument(name="arg2", description="Second test argument", required=True),
        ],
    ),
    Prompt(
        name="test_prompt_with_embedded_resource",
        description="A prompt with a resource in it",
        arguments=[PromptArgument(name="resourceUri", description="URI of the resource to embed", required=True)],
    ),
    Prompt(name="test_prompt_with_image", description="A prompt with an image in it"),
    Prompt(name="test_input_required_result_prompt", description="A prompt that asks for something first"),
]


def read(uri: str) -> ReadResourceResult | None:
    """Return one of the suite's resources, None for another one."""
    if uri == "test://static-binary":
        return ReadResourceResult(contents=[BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)])
    if uri in ("test://static-text", "test://watched-resource"):
        text = "This is the content of the static text resource."
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type="text/plain", text=text)])
    if uri.startswith("test://template/") and uri.endswith("/data"):
        number = uri.removeprefix("test://template/").removesuffix("/data")
        text = f'{{"id":"{number}","templateTest":true,"data":"Data for ID: {number}"}}'
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type="application/json", text=text)])
    return None


def prompt(params: GetPromptRequestParams) -> Any:
    """Return one of the suite's prompts, None for another one."""
    given = params.arguments or {}
    if params.name == "test_simple_prompt":
        return _messages(_text("This is a simple prompt for testing."))
    if params.name == "test_prompt_with_arguments":
        return _messages(_text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'"))
    if params.name == "test_prompt_with_embedded_resource":
        uri = given.get("resourceUri", "")
        text = "Embedded resource content for testing."
        resource = TextResourceContents(uri=uri, mime_type="text/plain", text=text)
        embedded = EmbeddedResource(type="resource", resource=resource)
        return _messages(embedded, _text("Please process the embedded resource above."))
    if params.name == "test_prompt_with_image":
        image = ImageContent(type="image", data=PNG, mime_type="image/png")
        return _messages(image, _text("Please analyze the image above."))
    if params.name == "test_input_required_result_prompt":
        if params.input_responses:
            return _messages(_text("The context is known now."))
        schema = {"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]}
        asked = {"message": "What context should the prompt use?", "requestedSchema": schema}
        request = {"user_context": {"method": "elicitation/create", "params": asked}}
        return InputRequiredResult.model_validate({"inputRequests": request})
    return None


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _messages(*blocks: Any) -> GetPromptResult:
    return GetPromptResult(messages=[PromptMessage(role="user", content=block) for block in blocks])
