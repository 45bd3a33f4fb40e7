// All that is kept of one arm.
#pragma once

#include "telemetry/flight.hpp"
#include "telemetry/gcra.hpp"
#include "telemetry/shard.hpp"

namespace turnout::telemetry {

struct Telemetry::Arm {
  Arm(const ArmConfig& arm, const Config& config)
      : capacity(arm.capacity),
        half_life(config.half_life),
        window_seconds(arm.limit.window_seconds),
        breaker(config.breaker),
        requests(arm.limit.requests, arm.limit.window_seconds),
        tokens(arm.limit.tokens, arm.limit.window_seconds),
        shards(std::make_unique<Shard[]>(static_cast<std::size_t>(config.shards))),
        shard_count(static_cast<std::size_t>(config.shards)) {}

  template <class Change>
  void update(Change&& change) {
    update_one(std::span(shards.get(), shard_count), change);
  }
  Sums sums() const { return merged(std::span<const Shard>(shards.get(), shard_count), half_life); }

  const int capacity;
  const double half_life, window_seconds;
  CircuitBreaker breaker;
  Meter requests, tokens;
  Flight flight;
  std::atomic<std::uint64_t> transitions[3] = {};
  std::unique_ptr<Shard[]> shards;
  const std::size_t shard_count;
};

}  // namespace turnout::telemetry
