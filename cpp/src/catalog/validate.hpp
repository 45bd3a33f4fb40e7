// The parts of Catalog::validate, one a list.
#pragma once

#include "turnout/catalog.hpp"

namespace turnout::catalog {

void validate(const std::vector<Llm>& llms);
void validate(const std::vector<Operator>& operators);
void validate(const std::vector<Capability>& capabilities);

}  // namespace turnout::catalog
