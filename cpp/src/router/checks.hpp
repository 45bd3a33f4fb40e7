// What a caller may ask for. Each throws Error(input) with the path to the culprit; `row` of a batch, or -1.
#pragma once

#include "turnout/router.hpp"

namespace turnout {

// The embedder of texts, if this router has one.
const embed::Embedder& text_embedder(const Snapshot& snapshot);
void check_owner(bool own_workspace);
void check_request(const Request& in, const Snapshot& snapshot, bool own_workspace);
void check_text(std::string_view text, int row);
// Finite; the first `unit_dim` numbers of norm 1 (or zeros, which no text gives), the others as embed::kMaxScore
// bounds.
void check_vector(const float* x, int unit_dim, int dim, int row);

}  // namespace turnout
