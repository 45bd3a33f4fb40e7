// Surface marks of a text: which rows of the marks' table are on. Counts of bytes, nothing that a tokenizer changes.
#pragma once

#include <cstdint>
#include <string_view>

namespace turnout::embed {

// Rows of the table, in the order in which they are added: one for the length, nine blocks of eight for shares and
// counts, one for option lines. docs/bundle-format.md has the table.
inline constexpr int kLengthRows = 32, kCountRows = 8, kOptionRows = 12;

// The row, from 0 on in its block, of a share c of n bytes; of a count c; of a text of so many tokens.
int share_row(std::int64_t c, std::int64_t n);
int count_row(std::int64_t c);
int length_row(std::int64_t tokens);

// Lines after the first that begin as an option of multiple choice does: "A." or " (B)".
std::int64_t count_options(std::string_view text);

}  // namespace turnout::embed
