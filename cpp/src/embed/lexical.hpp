// The lexical block: n-grams and marks of a text -> its scores.
#pragma once

#include <string_view>

#include "turnout/embed.hpp"

namespace turnout::embed {

// Throws Error(bundle) with the table at fault.
void check_lexical(const LexicalTables& tables);

// Writes tables.width scores of a text, whose kept ids are in ws.ids and which has so many tokens in all.
void score(const LexicalTables& tables, std::string_view text, int tokens, Workspace& ws, float* out);

}  // namespace turnout::embed
