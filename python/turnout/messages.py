"""Chat messages -> the text that is routed, the text that is paid for, and what the LLMs must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from turnout.core import InputError
from turnout.schema import fail

MAX_TEXT_BYTES = 1 << 20  # of all messages together, as of one text

_IMAGE_PARTS = frozenset({"image", "image_url", "input_image"})
_TEXT_PARTS = frozenset({"text", "input_text"})


class Chat(NamedTuple):
    """What a conversation asks.

    `text` is the last user message: how hard it is decides. `whole` is every message: it is what the LLM reads, so its
    length is what is paid for.
    """

    text: str
    whole: str
    has_image: bool


def is_messages(query: object) -> bool:
    """Whether a query has the shape of chat messages: a non-empty list of mappings with a role."""
    return isinstance(query, list | tuple) and bool(query) and isinstance(query[0], Mapping) and "role" in query[0]


def _part(part: Any, path: str) -> tuple[str, bool]:
    if not isinstance(part, Mapping) or "type" not in part:
        raise fail(InputError, path, "expected a mapping with a type")
    if part["type"] in _IMAGE_PARTS:
        return "", True
    if part["type"] not in _TEXT_PARTS:
        return "", False  # tool results, audio: they do not change how hard the question is
    text = part.get("text")
    if not isinstance(text, str):
        raise fail(InputError, f"{path}.text", f"expected a string, got {type(text).__name__}")
    return text, False


def _content(message: Mapping[str, Any], path: str) -> tuple[str, bool]:
    content = message.get("content")
    if content is None:  # an assistant's turn that only calls tools
        return "", False
    if isinstance(content, str):
        return content, False
    if not isinstance(content, list | tuple):
        raise fail(InputError, f"{path}.content", f"expected a string or a list of parts, got {type(content).__name__}")
    parts = [_part(part, f"{path}.content[{i}]") for i, part in enumerate(content)]
    return "\n".join(text for text, _ in parts if text), any(image for _, image in parts)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def read_messages(messages: Sequence[Mapping[str, Any]], at: str = "messages") -> Chat:
    """Reads chat messages in the shape that LLM APIs share (``[{"role": ..., "content": ...}]``).

    Raises
    ------
    InputError
        A message or part is malformed, or the text so far exceeds 1 MiB; names it, as in
        ``messages[2].content[0].text``; `at` is what the conversation is called.
    """
    texts: list[str] = []
    last_user, has_image, size = "", False, 0
    for i, message in enumerate(messages):
        path = f"{at}[{i}]"
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise fail(InputError, path, "expected a mapping with a role and a content")
        text, image = _content(message, path)
        has_image = has_image or image
        if text:
            size += _bytes(text) + bool(texts)  # a line break between two
            if size > MAX_TEXT_BYTES:
                raise fail(InputError, f"{path}.content", f"expected at most {MAX_TEXT_BYTES} bytes so far, got {size}")
            texts.append(text)
        if message["role"] == "user" and text:
            last_user = text
    whole = "\n".join(texts)
    return Chat(last_user or whole, whole, has_image)
