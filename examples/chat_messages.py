"""Chat messages as an LLM API takes them. The last user message decides; all of them are paid for.

Prints the tokens that are paid and those that the vector is made of; then which LLMs an image rules out.
"""

from pathlib import Path

import turnout

router = turnout.Router.load(pool=Path(__file__).parent / "pool.toml")
messages = [
    {"role": "system", "content": "You are a patient teacher. Answer in two sentences."},
    {"role": "user", "content": "What is the derivative of x^3?"},
    {"role": "assistant", "content": "It is 3x^2, by the power rule."},
    {"role": "user", "content": "And the integral of x^2 e^{-x} from 0 to infinity?"},
]
decision = router.route(messages)
print(f"{decision.in_tokens} tokens paid for, {decision.kept_tokens} decide: {decision}")

photo = {"type": "image_url", "image_url": {"url": "https://example.org/blackboard.jpg"}}
messages.append({"role": "user", "content": [{"type": "text", "text": "Is the proof on this photo right?"}, photo]})
decision = router.route(messages)
print(f"Excluded: {decision.infeasible}; chosen: {sorted({node.llm for node in decision.plan})}")
