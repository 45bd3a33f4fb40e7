// state: tickets, evidence, and the bytes in which they are kept.
#pragma once

#include "turnout/state/feedback.hpp"
#include "turnout/state/memory.hpp"
#include "turnout/state/ticket.hpp"
