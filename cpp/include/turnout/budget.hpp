// budget: ledgers that hold under concurrency, and what follows from what is left: pressure, pacing, turn limits,
// decisions on the remaining share, budget-conditioned selection. Never knows why money is spent.
#pragma once

#include "turnout/budget/amount.hpp"
#include "turnout/budget/clock.hpp"
#include "turnout/budget/ledger.hpp"
#include "turnout/budget/pace.hpp"
#include "turnout/budget/pressure.hpp"
#include "turnout/budget/select.hpp"
#include "turnout/budget/tracker.hpp"
#include "turnout/budget/turns.hpp"
