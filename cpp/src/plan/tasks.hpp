// What the files of TaskDag share.
#pragma once

#include "turnout/plan/task_dag.hpp"

namespace turnout::plan {

// At most kMaxTaskText bytes, none of them a control character.
void check_text(std::string_view text, const char* path);
void check_attributes(const TaskAttributes& attributes);

}  // namespace turnout::plan
