// What `next` and `answer_posterior` check at the door.
#pragma once

#include "turnout/belief/next.hpp"

namespace turnout::belief {

void check_llms(std::span<const Llm> llms);
int check_answers(std::span<const Answer> answers, std::size_t llms);  // how many different ones there are at most
void check_question(const Question& question);

}  // namespace turnout::belief
