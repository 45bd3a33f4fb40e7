// The tree of accounts and its counters. Not thread-safe: the ledger's lock is held.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "turnout/budget/ledger.hpp"

namespace turnout::budget {

inline constexpr std::uint32_t kNone = ~0u;

class Accounts {
 public:
  explicit Accounts(int capacity);

  // The index of a handle; Error(input, "account") where it is stale.
  std::uint32_t at(AccountId id) const;
  AccountId id(std::uint32_t index) const { return {index, all_[index].generation}; }
  std::uint32_t parent(std::uint32_t index) const { return all_[index].parent; }
  bool is_open(AccountId id) const;

  void check_open(AccountId parent, std::string_view name) const;
  AccountId open(AccountId parent, std::string_view name, const Units& limits);
  void check_path(std::string_view path) const;
  AccountId open_path(std::string_view path, const Units& limits);  // and its ancestors, without limits
  std::string next_name(AccountId parent);                          // checked as by check_open
  void set_limits(std::uint32_t index, const Units& limits) { all_[index].limits = limits; }
  bool within(std::uint32_t index, std::uint32_t ancestor) const;
  void close(std::uint32_t index);  // with its descendants; nothing may be held there
  AccountId find(std::string_view path) const;
  const std::string& path(std::uint32_t index) const { return all_[index].path; }

  // The first limit that `units` does not fit in.
  Refusal refusal(std::uint32_t index, const Units& units) const;
  void hold(std::uint32_t index, const Units& units);
  void give_back(std::uint32_t index, const Units& units);
  void spend(std::uint32_t index, const Units& units);
  void count_overrun(std::uint32_t index, const Units& beyond);

  Units remaining(std::uint32_t index) const;
  double pressure(std::uint32_t index) const;
  AccountState state(std::uint32_t index) const;
  std::vector<AccountState> snapshot() const;

 private:
  struct Account {
    Units limits{}, spent{}, held{};
    std::uint32_t parent = kNone;
    std::uint32_t generation = 1;
    int depth = 1;
    bool open = false;
    Units overrun{};
    std::string path;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::string path_of(AccountId parent, std::string_view name) const;
  void check_room(std::string_view path, std::size_t accounts) const;

  std::vector<Account> all_;
  std::vector<std::uint32_t> free_;  // the next one last
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> by_path_;
  std::uint64_t unnamed_ = 0;
};

}  // namespace turnout::budget
