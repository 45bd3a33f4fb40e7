// Votes, pools, agreement: exhaustive where it is small, refusals, and no allocation.
#include "turnout/consensus.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"

using namespace turnout;
using namespace turnout::consensus;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Classes = std::vector<std::int32_t>;
using Numbers = std::vector<double>;

Winner winner(const Classes& answers, const Numbers& weights = {}, const Numbers& abilities = {}) {
  Numbers scores(5);
  return vote({answers, weights, abilities}, scores);
}

Agreement agreed(const Classes& answers) {
  Numbers counts(5);
  return agreement(answers, counts);
}

}  // namespace

// All partitions of three probes, whatever the labels (ACAR).
TEST(three_probes_ask_as_many_llms_as_they_give_answers) {
  for (std::int32_t a = 0; a < 5; ++a)
    for (std::int32_t b = 0; b < 5; ++b)
      for (std::int32_t c = 0; c < 5; ++c) {
        const Agreement found = agreed({a, b, c});
        const int distinct = a == b && b == c ? 1 : a == b || b == c || a == c ? 2 : 3;
        CHECK(found.answers == 3 && found.distinct == distinct && found.sigma == (distinct - 1) / 2.0);
        CHECK_NEAR(found.share, distinct == 1 ? 1 : distinct == 2 ? 2.0 / 3 : 1.0 / 3, 1e-15);
        CHECK_NEAR(found.entropy, distinct == 1 ? 0 : distinct == 2 ? 0.918295834054490 : std::log2(3.0), 1e-14);
      }
}

TEST(agreement_of_none_one_and_many) {
  CHECK(agreed({}).answers == 0 && agreed({}).sigma == 0 && agreed({}).share == 0);
  CHECK(agreed({kNoAnswer, 3}).distinct == 1 && agreed({kNoAnswer, 3}).sigma == 0);
  CHECK(agreed({0, 1, 2, 3, 4}).sigma == 1 && agreed({0, 0, 1, 1, 2}).sigma == 0.5);
}

TEST(ties_go_to_the_ablest_voter_then_to_the_first_class) {
  CHECK(winner({1, 0}).answer == 0 && winner({1, 0}).tied);
  CHECK(winner({1, 0}, {}, {0.6, 0.5}).answer == 1);
  CHECK(winner({0, 1}, {}, {0.6, 0.6}).answer == 0);
  CHECK(winner({0, 1, 1, 0}, {}, {0.1, 0.2, 0.9, 0.8}).answer == 1);
  // One of weight 0 is no voter.
  CHECK(winner({0, 1, 0}, {1, 1, 0}, {0.1, 0.2, 0.9}).answer == 1);
  const Winner clear = winner({2, 2, 0}, {}, {0.1, 0.1, 0.9});
  CHECK(clear.answer == 2 && !clear.tied && clear.score == 2 && clear.share == 2.0 / 3);
  CHECK(winner({0, 1, 2}, {1, 3, 3}).tied && !winner({0, 1, 2}, {1, 1, 3}).tied);
}

TEST(who_says_nothing_does_not_count) {
  CHECK(winner({}).answer == kNoAnswer && winner({kNoAnswer, kNoAnswer}).answer == kNoAnswer);
  CHECK(winner({kNoAnswer, 4}).answer == 4 && winner({kNoAnswer, 4}).share == 1);
  CHECK(winner({1, 2}, {0, 0}).answer == kNoAnswer);
}

TEST(a_sample_counts_once) {
  const std::vector<Source> sources = {{0, 7}, {0, 7}, {1, 7}, {0, kOwnSample}, {0, kOwnSample}, {0, 8}, {1, 7}};
  std::vector<std::uint8_t> counted(sources.size());
  CHECK(distinct(sources, counted) == 5);
  CHECK((counted == std::vector<std::uint8_t>{1, 0, 1, 1, 1, 1, 0}));
}

TEST(samples_of_one_llm_are_worth_their_design_effect) {
  CHECK(effective_votes(5, 0) == 5 && effective_votes(5, 1) == 1 && effective_votes(1, 0.7) == 1);
  CHECK(effective_votes(0, 0.5) == 0 && effective_votes(3, 0.5) == 1.5);
  const Classes llms = {0, 1, 0, 0};
  const Numbers rho = {0.5, 0.9, 0.5, 0.5};
  Numbers weights(4);
  independence(llms, rho, weights);
  CHECK(weights[1] == 1 && weights[0] + weights[2] + weights[3] == effective_votes(3, 0.5));
  double before = 0;
  for (int n = 1; n < 200; ++n) {
    const double worth = effective_votes(n, 0.2);
    CHECK(worth > before && worth < 1 / 0.2);
    before = worth;
  }
}

// c times the credits are sqrt(c) times the weight: 24 of 25 credits do not outvote six voters of 1/6 credit each.
TEST(quadratic_votes_bound_any_one_voter) {
  const Numbers credits = {100, 1, 4, 0};
  Numbers weights(4);
  quadratic(credits, Classes{0, 1, 2, 3}, Classes{1, 1, kNobody, 0}, weights);
  CHECK((weights == Numbers{10, 0, 2, 0}));  // the second votes for its own
  for (double c = 1; c < 1e6; c *= 3) {
    Numbers two(2);
    quadratic(Numbers{c, 1}, Classes{0, 1}, Classes{kNobody, kNobody}, two);
    CHECK_NEAR(two[0] / two[1], std::sqrt(c), 1e-9);
    CHECK(two[0] / (two[0] + two[1]) <= c / (c + 1));
  }
}

TEST(trimmed_means_and_medians_withstand_an_outlier) {
  Numbers scratch(5), four(4), one(1);
  CHECK(median(Numbers{1, 1e9, 2, 3, -5}, scratch) == 2 && median(Numbers{1, 2, 3, 10}, four) == 2.5);
  CHECK(trimmed_mean(Numbers{1, 1e9, 2, 3, -5}, 0.2, scratch) == 2);
  CHECK(trimmed_mean(Numbers{1, 2, 3, 10}, 0.2, four) == 4);  // floor(0.8) = 0 are cut
  CHECK(trimmed_mean(Numbers{7}, 0.49, one) == 7);
  CHECK_ERROR(median(Numbers{}, {}), ErrorKind::input, "values");
  CHECK_ERROR(median(Numbers{kNan}, one), ErrorKind::input, "values[0]");
  CHECK_ERROR(trimmed_mean(Numbers{1}, 0.5, one), ErrorKind::input, "trim");
}

TEST(pools_are_distributions) {
  const Numbers rows = {0.9, 0.1, 0.5, 0.5};
  Numbers out(2);
  linear_pool({rows, {}, 2}, out);
  CHECK_NEAR(out[0], 0.7, 1e-15);
  log_pool({rows, {}, 2}, out);
  CHECK_NEAR(std::log(out[0] / out[1]), 0.5 * std::log(9.0), 1e-14);  // mean of log odds
  CHECK_NEAR(out[0] + out[1], 1, 1e-15);
  log_pool({rows, Numbers{3, 0}, 2}, out);
  CHECK_NEAR(out[0], 0.9, 1e-15);
  log_pool({Numbers{1, 0, 0.5, 0.5}, {}, 2}, out);
  CHECK(out[0] == 1 && out[1] == 0);
  CHECK_ERROR(log_pool({Numbers{1, 0, 0, 1}, {}, 2}, out), ErrorKind::input, "opinions");
  CHECK_ERROR(linear_pool({Numbers{1, 0, 0.2, 0.2}, {}, 2}, out), ErrorKind::input, "opinions[1]");
  CHECK_ERROR(linear_pool({rows, Numbers{0, 0}, 2}, out), ErrorKind::input, "weights");
  CHECK_ERROR(linear_pool({rows, Numbers{1, -1}, 2}, out), ErrorKind::input, "weights[1]");
  CHECK_ERROR(linear_pool({rows, {}, 0}, out), ErrorKind::input, "opinions");
}

TEST(fusion_weights_sum_to_one_and_the_top_one_is_the_argmax) {
  const Numbers scores = {0.1, 0.7, 0.2, 0.6, 0.3, 0.1, 0.2, 0.2, 0.6};
  Numbers used(3), out(3);
  fuse({scores, Numbers{1, 2, 5}, 3}, 3, used, out);
  CHECK_NEAR(used[0] + used[1] + used[2], 1, 1e-15);
  CHECK_NEAR(out[2], (0.2 + 2 * 0.1 + 5 * 0.6) / 8, 1e-15);
  fuse({scores, Numbers{1, 2, 5}, 3}, 2, used, out);
  CHECK(used[0] == 0 && used[1] == 2.0 / 7 && used[2] == 5.0 / 7);
  fuse({scores, Numbers{1, 2, 2}, 3}, 1, used, out);  // of equal weights the first
  CHECK((used == Numbers{0, 1, 0}) && (out == Numbers{0.6, 0.3, 0.1}));
  CHECK_ERROR(fuse({scores, Numbers{1, 2, 5}, 3}, 0, used, out), ErrorKind::input, "top");
}

TEST(what_is_no_vote_is_refused) {
  CHECK_ERROR(winner({5}), ErrorKind::input, "answers[0]");
  CHECK_ERROR(winner({0, -2}), ErrorKind::input, "answers[1]");
  CHECK_ERROR(winner({0, 1}, {1}), ErrorKind::input, "weights");
  CHECK_ERROR(winner({0, 1}, {1, kNan}), ErrorKind::input, "weights[1]");
  CHECK_ERROR(winner({0, 1}, {}, {kNan, 1}), ErrorKind::input, "abilities[0]");
  CHECK_ERROR(winner(Classes(kMaxVotes + 1, 0)), ErrorKind::input, "answers");
  CHECK_ERROR(effective_votes(-1, 0), ErrorKind::input, "n");
  CHECK_ERROR(effective_votes(1, 1.1), ErrorKind::input, "rho");
}

TEST(nothing_is_allocated) {
  const Classes answers = {0, 1, 1, 2, 0, 1};
  const Numbers weights = {1, 2, 3, 4, 5, 6}, rows = {0.9, 0.1, 0.5, 0.5};
  const Numbers rho(6, 0.3);
  Numbers scores(3), scratch(6), out(2), used(2);
  const long before = allocations::count();
  vote({answers, weights, weights}, scores);
  agreement(answers, scores);
  independence(answers, rho, scratch);
  trimmed_mean(weights, 0.2, scratch);
  log_pool({rows, {}, 2}, out);
  fuse({rows, {}, 2}, 1, used, out);
  CHECK(allocations::count() == before);
}
