"""`model_card.md`: what a bundle was trained on, how, how good it is and what it is not for."""

from __future__ import annotations

from typing import Any

TEXT = """# Model card of the bundle `{name}`

## What it is
A router's networks and tables: a static token table (text -> {dim}-dimensional vector), a variational autoencoder
whose latent ({latent} units, {active} active) carries the query's difficulty and {skills} skill dimensions, the
abilities of {llms} LLMs, {tools} tools and agents, and a default pool of {pool} LLMs. The format is
docs/bundle-format.md.

Difficulty d(q) is the probability that the reference LLM fails on q: an LLM of average ability (0 logits) among those
of the training sets. Predicted from text alone, d explains a part of what makes a question hard, not most of it.

## What it was trained on
Only the `train` splits: {outcomes} outcomes of {llms} LLMs on {queries} queries.

| set | queries | what it is | licence of the source |
|---|---|---|---|
{sets}

Left out: {excluded} (its scores are 0 for every LLM on three questions of four, easy ones among them: the scoring
failed, not the LLMs).

Teacher of the token table: {teacher}. No text of the sets is in the bundle; the table depends on the teacher alone.

## How
1. Each vocabulary token through the teacher, PCA to {dim}, SIF weights with Zipf's law, int8 rows and 11-bit weights.
2. Item response (Rasch) over the three sets, linked by LLMs that answered two of them.
3. The autoencoder: reconstruction, KL with free bits, and the outcomes' cross-entropy through heads that are linear
   in the latent. What differs between LLMs is penalised far more than what they share.
4. {folds}-fold cross-fitting by question stem. b is scaled and the abilities are fitted on out-of-fold predictions,
   so that P(correct) is calibrated for queries that the network has not seen.

## How good it is
Out of fold on the training splits (each query judged by a network that never saw it):

| set | Spearman of d with the failure rate | ECE of P(correct) | Brier |
|---|---|---|---|
{quality}

Latent: {active} of {latent} units active (their mean varies with the query), {kl} nats against the prior, embeddings
decoded from it at a mean cosine of {reconstruction}. Sampling the latent instead of taking its mean moves the
difficulty logit by {sampled} (standard deviation).

int8 vectors against the exact table: cosine at least {cosine}. Depth cut points (quartiles of d): {cuts}.
`python -m turnout.train.check DATA --bundle FOLDER` prints these figures again, with the teacher's ridge baseline
beside them, and the same for the test splits.

## Limits
- Exam questions, mathematics, reading, code and logic in English. Chat, other languages and long documents are out of
  domain: the router says so (`out_of_domain`), and d is then of little worth.
- The LLMs are those of the sets, of 2023 to early 2025. A newer LLM enters by its public score (`scores`), with a wide
  interval, or by feedback.
- Prices in `pool.toml` are approximate list prices of the LLMs' time, speeds are assumed. They are examples, not
  quotes.
- Output tokens are of short step-by-step answers (characters / 4) where a set has them, assumed elsewhere
  (`output_tokens`).
- Prices and seconds of tools and agents are assumptions.
"""

SETS = {
    "mmlupro29": ("MMLU-Pro, 14 domains, 25 LLMs, step by step", "Apache-2.0"),
    "llmrouter9": ("14 task families (maths, QA, code, logic), 9 LLMs", "MIT"),
    "routellm2": ("MMLU and GSM8K, 2 LLMs", "Apache-2.0"),
}


def _table(rows: list[list[object]]) -> str:
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def render(
    training: dict[str, Any],
    figures: dict[str, Any],
    llms: dict[str, Any],
    operators: dict[str, Any],
    name: str = "default",
) -> str:
    """The card's text."""
    sets = [[key, n, *SETS.get(key, ("the trainer's own", "unknown"))] for key, n in training["sets"].items()]
    quality = [[key, row["spearman_d"], row["ece"], row["brier"]] for key, row in figures["out_of_fold"].items()]
    return TEXT.format(
        name=name,
        dim=figures["dim"],
        latent=figures["latent"],
        active=figures["active_units"],
        skills=llms["skills"],
        kl=figures["kl_nats"],
        reconstruction=figures["reconstruction_cosine"],
        sampled=figures["sampled_logit_sd"],
        llms=training["llms"],
        tools=figures["capabilities"],
        pool=len(llms["default_pool"]),
        outcomes=training["outcomes"],
        queries=sum(training["sets"].values()),
        sets=_table(sets),
        excluded=", ".join(training["excluded"]) or "nothing",
        teacher=training["teacher"],
        folds=training["folds"],
        quality=_table(quality),
        cosine=figures["int8_cosine_min"],
        cuts=operators["cut_points"],
    )
