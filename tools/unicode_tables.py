"""Writes the Unicode tables of `embed` from what Hugging Face `tokenizers` does with every code point.

    python tools/unicode_tables.py        # needs `tokenizers` and `regex`; rewrites the two files below

`tokenizers` mixes three versions of Unicode: its general categories are of 8.0, its canonical decompositions and
combining classes of 9.0, its lower case follows the Rust release that built it. No single version of a Unicode library
gives the same ids, so behaviour is probed, one code point at a time. `regex` (Unicode 17) only says where Python's
`unicodedata`, whatever its version, may know a character that `tokenizers` does not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import regex
import tokenizers
from tokenizers import normalizers, pre_tokenizers

VERSION = f"tokenizers {tokenizers.__version__}"
ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "cpp/src/embed/unicode_data.inc"
TWIN = ROOT / "python/turnout/reference/unicode_data.py"

BERT = normalizers.BertNormalizer()
CLEAN = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
NFD = normalizers.NFD()
SPLIT = pre_tokenizers.BertPreTokenizer()

# Codes of the C++ table: a kind, a kept mark (kMark + its combining class), or a mapping (kMapping + its index).
KEEP, ABSENT, BREAK, SPACE, ISOLATED, HANGUL, DECODE = range(7)
MARK, MAPPING = 8, 264
WORD, ALONE, MARKED = range(3)  # kinds of mapping
SYLLABLES = range(0xAC00, 0xD7A4)  # Hangul, decomposed by arithmetic


def characters() -> Iterator[str]:
    return (chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)


@cache
def between(normalizer: object, c: str) -> str:
    """What becomes of `c` inside a word."""
    return normalizer.normalize_str(f"a{c}b")[1:-1]  # type: ignore[attr-defined]


@cache
def pieces(c: str) -> int:
    """1: part of a word, 2: white space, 3: a word of its own."""
    return len(SPLIT.pre_tokenize_str(f"a{c}b"))


@cache
def references() -> dict[int, str]:
    """A mark of every combining class that `tokenizers` knows."""
    marks: dict[int, str] = {}
    for c in characters():
        k = unicodedata.combining(c)
        if k and k not in marks and NFD.normalize_str(c) == c and reorders(c):
            marks[k] = c
    return marks


def swaps(first: str, second: str) -> bool:
    return first != second and NFD.normalize_str(f"a{first}{second}") == f"a{second}{first}"


def reorders(c: str) -> bool:
    """Whether `c` has a combining class: U+0334 has the lowest (1), U+0345 the highest (240)."""
    return swaps(c, "\u0334") or swaps("\u0345", c)


@cache
def combining_class(c: str) -> int:
    if not reorders(c):
        return 0
    equal = [k for k, mark in references().items() if not swaps(c, mark) and not swaps(mark, c)]
    assert len(equal) == 1, (hex(ord(c)), equal)
    return equal[0]


def code_and_mapping(c: str) -> tuple[int, tuple[int, str] | None]:
    cleaned = between(CLEAN, c)
    if cleaned in (" ", ""):
        return (SPACE if cleaned else ABSENT), None
    out = between(BERT, c)
    if out.startswith(" ") and len(out) == 3:
        return (ISOLATED, None) if out[1] == c else (MAPPING, (ALONE, out[1]))
    parts = NFD.normalize_str(c)
    if out == "":
        return (BREAK if any(combining_class(p) == 0 for p in parts) else ABSENT), None
    kinds = {pieces(o) for o in out}
    assert len(kinds) == 1 and 2 not in kinds, hex(ord(c))
    if kinds == {3}:
        assert len(out) == 1
        return (ISOLATED, None) if out == c else (MAPPING, (ALONE, out))
    classes = [combining_class(o) for o in out]
    if out == c:
        return (MARK + classes[0] if classes[0] else KEEP), None
    assert combining_class(parts[0]) == 0, hex(ord(c))
    return MAPPING, (MARKED if any(classes) else WORD, out)


def build() -> tuple[list[int], list[tuple[int, str]]]:
    codes, mappings = [KEEP] * 0x110000, dict[tuple[int, str], int]()
    for c in characters():
        if ord(c) in SYLLABLES:
            codes[ord(c)] = HANGUL
            continue
        code, mapping = code_and_mapping(c)
        codes[ord(c)] = code if mapping is None else MAPPING + mappings.setdefault(mapping, len(mappings))
    return codes, list(mappings)


def two_stage(codes: list[int], shift: int) -> tuple[list[int], list[int]]:
    """Blocks of 2**shift codes, each stored once."""
    seen: dict[tuple[int, ...], int] = {}
    size = 1 << shift
    stage1 = [seen.setdefault(tuple(codes[i : i + size]), len(seen)) for i in range(0, len(codes), size)]
    return stage1, [code for block in seen for code in block]


def table(declaration: str, values: Iterable[object], brackets: str = "{};") -> str:
    lines, line = [f"{declaration} = {brackets[0]}"], " "
    for value in values:
        if len(line) + len(str(value)) + 2 > 120:
            lines.append(line)
            line = " "
        line += f" {value},"
    return "\n".join([*lines, line, brackets[1:] + "\n"])


def first_bytes(codes: list[int]) -> list[int]:
    """By first byte: the output byte of a word's character; 0x80 + kind of the others."""
    letters = {c: ord(between(BERT, chr(c))) for c in range(128) if codes[c] == KEEP or codes[c] >= MAPPING}
    return [letters.get(c, 0x80 + codes[c]) for c in range(128)] + [0x80 + DECODE] * 128


def write_cpp(codes: list[int], mappings: list[tuple[int, str]]) -> None:
    shift = min(range(5, 10), key=lambda s: len(two_stage(codes, s)[0]) + 2 * len(two_stage(codes, s)[1]))
    stage1, stage2 = two_stage(codes, shift)
    assert max(stage1) < 65536 and max(stage2) < 65536
    index = "std::uint8_t" if max(stage1) < 256 else "std::uint16_t"
    entries, pool = [], b""
    for kind, text in mappings:
        data = text.encode()
        entries.append(f"{{{len(pool)}, {len(data)}, {kind}}}")
        pool += data
    CPP.write_text(
        f"// Written by tools/unicode_tables.py from the behaviour of {VERSION}. Do not edit.\n"
        f"inline constexpr int kBlockShift = {shift};\n"
        + table("inline constexpr std::uint8_t kFirstByte[256]", first_bytes(codes))
        + table(f"inline constexpr {index} kStage1[{len(stage1)}]", stage1)
        + table(f"inline constexpr std::uint16_t kStage2[{len(stage2)}]", stage2)
        + table(f"inline constexpr Mapping kMappings[{len(entries)}]", entries)
        + table(f"inline constexpr unsigned char kMappedBytes[{len(pool)}]", pool)
    )
    print(f"{CPP.name}: blocks of {1 << shift}, {len(stage1)} + {len(stage2)} codes, {len(mappings)} mappings")


# --- the pure-Python twin: where `unicodedata` of any version must not be asked ---------------------------------------

# What a newer Unicode may say of a character: removed, split off, reordered or decomposed.
NOTABLE = regex.compile(
    r"[\p{Mn}\p{Cf}\p{Co}\p{P}\p{Zs}]|\P{Canonical_Combining_Class=0}|\p{Decomposition_Type=Canonical}"
)


def removed_in_nfd(c: str) -> bool:
    """Whether `c` is a nonspacing mark to `tokenizers`."""
    return between(CLEAN, c) == c and NFD.normalize_str(c) == c and between(BERT, c) == ""


def unknown(c: str) -> bool:
    """Notable to Unicode 17, nothing to `tokenizers`."""
    if not NOTABLE.match(c) or ord(c) in SYLLABLES:
        return False
    inert = between(CLEAN, c) == c and NFD.normalize_str(c) == c and not reorders(c) and pieces(c) == 1
    return inert and not removed_in_nfd(c)


def ranges(members: Iterable[int]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for c in members:
        if out and out[-1][1] == c - 1:
            out[-1] = (out[-1][0], c)
        else:
            out.append((c, c))
    return out


def changed_categories() -> dict[int, str]:
    """Characters that are known, but of another category than today."""
    changed = {}
    for c in characters():
        category = unicodedata.category(c)
        if unknown(c) or category == "Cn":
            continue
        if removed_in_nfd(c) and category != "Mn":
            changed[ord(c)] = "Mn"
        elif pieces(c) == 3 and category[0] != "P" and ord(c) > 127:
            changed[ord(c)] = "Po"
        elif category == "Mn" and between(BERT, c) == c:
            changed[ord(c)] = "Cn"
    return changed


def new_lower_case() -> dict[int, int]:
    """Lower case that the oldest supported Python (3.11, Unicode 14) does not know."""
    lower = normalizers.Lowercase()
    return {ord(c): ord(out) for c in characters() if (out := lower.normalize_str(c)) != c.lower() and len(out) == 1}


def write_twin() -> None:
    assert unicodedata.unidata_version == "14.0.0", "run it with Python 3.11: new_lower_case() is relative to it"
    pairs = [f"({a:#x}, {b:#x})" for a, b in ranges(ord(c) for c in characters() if unknown(c))]
    categories = [f'{c:#x}: "{k}"' for c, k in changed_categories().items()]
    lower = [f"{c:#x}: {low:#x}" for c, low in new_lower_case().items()]
    TWIN.write_text(
        f'"""Where {VERSION} and `unicodedata` differ. Written by tools/unicode_tables.py."""\n\n'
        f'TOKENIZERS = "{tokenizers.__version__}"\n\n'
        "# fmt: off\n"
        "# Ranges that `tokenizers` does not know: part of a word, whatever a newer Unicode says of them.\n"
        + table("UNKNOWN: tuple[tuple[int, int], ...]", pairs, "()")
        + "# Characters of another category than today.\n"
        + table("CATEGORY: dict[int, str]", categories, "{}")
        + "# Lower case newer than Unicode 14.\n"
        + table("LOWER: dict[int, int]", lower, "{}")
    )
    print(f"{TWIN.name}: {len(pairs)} ranges, {len(categories)} categories, {len(lower)} lower case")


if __name__ == "__main__":
    write_cpp(*build())
    write_twin()
