// bandit: which arm in this context, learned from rewards; and when an arm is no longer what was predicted.
#pragma once

#include "turnout/bandit/linear.hpp"
#include "turnout/bandit/posterior.hpp"
#include "turnout/bandit/surprise.hpp"
