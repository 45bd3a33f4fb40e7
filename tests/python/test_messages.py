"""Chat messages: the last user message decides, all of them are paid for, an image needs vision."""

from __future__ import annotations

from typing import Any

import pytest

import turnout
from turnout.messages import is_messages, read_messages


def test_the_last_user_message_is_routed_and_everything_is_paid_for(small: turnout.Router) -> None:
    chat = [
        {"role": "system", "content": "history war year " * 20},
        {"role": "user", "content": "what is a contract"},
        {"role": "assistant", "content": "a contract is two"},
        {"role": "user", "content": "prove the integral"},
    ]
    alone, whole = small.route("prove the integral"), small.route(chat)
    assert whole.difficulty == alone.difficulty
    assert whole.in_tokens > alone.in_tokens
    assert min(a.usd for a in whole.alternatives) > min(a.usd for a in alone.alternatives)


def test_one_user_message_is_the_text_itself(small: turnout.Router) -> None:
    assert small.route([{"role": "user", "content": "find the energy"}]) == small.route("find the energy")


def test_parts_are_joined_and_an_image_needs_vision(small: turnout.Router) -> None:
    parts = [
        {"type": "text", "text": "what is"},
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "text", "text": "it"},
    ]
    chat = read_messages([{"role": "user", "content": parts}])
    assert chat == ("what is\nit", "what is\nit", True)
    decision = small.route([{"role": "user", "content": parts}])
    assert {node.llm for node in decision.plan} == {"large"}
    assert decision.infeasible == {"tiny": "policy", "small": "policy", "giant": "policy"}


def test_assistant_turns_without_content_are_fine() -> None:
    messages = [{"role": "user", "content": "run code"}, {"role": "assistant", "content": None, "tool_calls": []}]
    assert read_messages(messages).text == "run code"


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ([{"role": "user", "content": 3}], "messages[0].content"),
        ([{"role": "user", "content": "x"}, {"content": "y"}], "messages[1]"),
        ([{"role": "user", "content": "x"}, "y"], "messages[1]"),
        ([{"role": 3, "content": "x"}], "messages[0]"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text"),
    ],
)
def test_malformed_messages_name_the_culprit(small: turnout.Router, messages: list[Any], path: str) -> None:
    assert is_messages(messages)
    with pytest.raises(turnout.InputError) as error:
        small.route(messages)
    assert error.value.path == path


def test_lists_of_other_things_are_not_messages(small: turnout.Router) -> None:
    for query in ([], ["text"], [{"content": "x"}], {"role": "user", "content": "x"}):
        with pytest.raises(TypeError, match="query: expected str"):
            small.route(query)  # type: ignore[arg-type]


MIB = 1 << 20


@pytest.mark.parametrize(
    ("contents", "path", "got"),
    [
        (["a" * (2 * MIB), "b"], "messages[0].content", 2 * MIB),
        (["a", "b" * MIB], "messages[1].content", MIB + 2),
        (["a" * 600_000, None, [{"type": "text", "text": "b" * 600_000}], "c"], "messages[2].content", 1_200_001),
        (["é" * 600_000], "messages[0].content", 1_200_000),
    ],
)
def test_the_limit_is_of_all_messages_together(small: turnout.Router, contents: list[Any], path: str, got: int) -> None:
    roles = ["system", *["user"] * (len(contents) - 1)] if len(contents) > 1 else ["user"]
    messages = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
    with pytest.raises(turnout.InputError, match=f"at most 1048576 bytes so far, got {got}$") as error:
        small.route(messages)
    assert error.value.path == path


def test_a_conversation_may_have_as_many_bytes_as_one_text(small: turnout.Router) -> None:
    text = "x" * MIB
    assert small.route([{"role": "user", "content": text}]) == small.route(text)
    assert small.route([{"role": "system", "content": text[2:]}, {"role": "user", "content": "y"}]).in_tokens > 0
