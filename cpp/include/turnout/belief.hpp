// belief: what is known after each piece of evidence, what a further one is worth, and when to stop. Never asks
// anybody.
#pragma once

#include "turnout/belief/answers.hpp"
#include "turnout/belief/loss.hpp"
#include "turnout/belief/next.hpp"
#include "turnout/belief/policies.hpp"
