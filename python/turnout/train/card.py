"""`model_card.md`: what a bundle was trained on, how, how good it is and what it is not for."""

from __future__ import annotations

from typing import Any

TEXT = """# Model card of the bundle `{name}`

## What it is
A router's networks and tables: a static token table (text -> {dim} numbers) with a block of {lexical} lexical
scores, a variational autoencoder whose latent ({latent} units, {active} active) carries the query's difficulty, its
domain ({domains} of them, inferred from the text) and how long answers get, the abilities of {llms} LLMs by domain,
{tools} tools and agents, and a pool of {pool} LLMs. The format is docs/bundle-format.md.

Difficulty d(q) is the probability that the reference LLM fails on q: an LLM of average ability (0 logits) among
those of the training sets. Predicted from text alone, d explains a part of what makes a question hard, not most of
it.

## What it was trained on
Only the `train` splits: {outcomes} outcomes of {llms} LLMs on {queries} queries.

| set | queries | what it is | licence of the source |
|---|---|---|---|
{sets}

{excluded}Costs, by how they are known: {costs}.

Token table, operators, tools and agents come from `{base}`; the table's teacher: {teacher}. The lexical
block holds weights of hashed n-grams, and no text.

## How
1. Item response (Rasch) over the sets, linked by LLMs that answered two of them: a difficulty for each query.
2. Ridge regressions on hashed n-grams, marks of the text and its static vector predict difficulty, domain and
   length.
3. The autoencoder takes it from there: reconstruction, KL with free bits, the outcomes' cross-entropy, the domain's
   and the length's loss, through heads that are linear in the latent; early stopping on a tenth of the queries.
4. The outcome model: abilities by domain (two-way, deviations shrunk by empirical Bayes, tau {tau}), mixed by the
   inferred domain, less {slope} of the difficulty within the domain; then a temperature and an offset for each LLM.
5. Output tokens by LLM and query, prices from recorded costs.

Every step sees only what earlier ones predict of queries that they left out ({folds} folds by question stem).

## How good it is
Out of fold on the training splits (each query judged by what never saw it):

| set | Spearman of d with the failure rate | ECE of P(correct) | Brier | LLMs calibrated |
|---|---|---|---|---|
{quality}

An LLM is calibrated if its ECE is at most .01 above the 95th percentile of the ECE that its own probabilities give
at that many outcomes. The inferred domain is right for {accuracy:.1%} of the queries. Latent: {active} of {latent}
units active, {kl} nats against the prior, embeddings decoded from it at a mean cosine of {reconstruction}. Sampling
the latent instead of taking its mean moves the difficulty logit by {sampled} (standard deviation). Depth cut points
(quartiles of d): {cuts}.

`turnout evaluate BUNDLE QUERIES OUTCOMES` measures a bundle on the split that it was not trained on.

## Limits
- It knows queries like those it was trained on. A text far from all of them is flagged `out_of_domain`, and d is
  then of little worth; a text may be strange without being far.
- The LLMs are those of the sets. Another one enters by a public score, with a wide interval, or by some outcomes of
  its own (`turnout pool add`).
- Output tokens are measured where the sets have them and assumed elsewhere (`output_tokens` in llms.json).
{limits}"""

DEFAULT_LIMITS = """\
- Exam questions, mathematics, reading, code and logic in English. Chat, other languages and long documents are out of
  domain.
- Prices in `pool.toml` are approximate list prices of the LLMs' time, speeds are assumed: examples, not quotes.
- Prices and seconds of tools and agents are assumptions.
"""

DEFECTIVE = """\
Left out: {excluded} (its scores are 0 for every LLM on three questions of four, easy ones among them: the scoring
failed, not the LLMs).

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
    quality = [
        [key, row["spearman_d"], row["ece"], row["brier"], f"{row['llms_calibrated']} of {row['llms']}"]
        for key, row in figures["out_of_fold"].items()
    ]
    excluded = ", ".join(training.get("excluded", []))
    return TEXT.format(
        name=name,
        dim=figures["dim"],
        lexical=figures["lexical"],
        latent=figures["latent"],
        active=figures["active_units"],
        domains=len(training["domains"]),
        accuracy=figures["domain_accuracy"],
        kl=figures["kl_nats"],
        reconstruction=figures["reconstruction_cosine"],
        sampled=figures["sampled_logit_sd"],
        llms=training["llms"],
        tools=figures["capabilities"],
        pool=len(llms["default_pool"]),
        outcomes=training["outcomes"],
        queries=sum(training["sets"].values()),
        sets=_table(sets),
        excluded=DEFECTIVE.format(excluded=excluded) if excluded else "",
        costs=", ".join(f"{kind} {count}" for kind, count in training["costs"].items()),
        base=training["base"],
        teacher=training["teacher"],
        tau=" / ".join(str(t) for t in training["calibration"]["tau"]),
        slope=training["calibration"]["slope"],
        folds=training["folds"],
        quality=_table(quality),
        cuts=operators["cut_points"],
        limits=DEFAULT_LIMITS if excluded else "",
    )
