#include "accounts.hpp"

#include <algorithm>

namespace turnout::budget {

Accounts::Accounts(int capacity) : all_(static_cast<std::size_t>(capacity)), free_(all_.size()) {
  for (std::size_t i = 0; i < free_.size(); ++i) free_[i] = static_cast<std::uint32_t>(free_.size() - 1 - i);
}

bool Accounts::is_open(AccountId id) const {
  return id.index < all_.size() && all_[id.index].open && all_[id.index].generation == id.generation;
}

std::uint32_t Accounts::at(AccountId id) const {
  if (!is_open(id)) throw Error(ErrorKind::input, "account", "is closed, or was never opened");
  return id.index;
}

std::string Accounts::path_of(AccountId parent, std::string_view name) const {
  return parent == kNoAccount ? std::string(name) : all_[parent.index].path + "/" + std::string(name);
}

static bool allowed(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '/'; }

void Accounts::check_open(AccountId parent, std::string_view name) const {
  if (name.empty() || name.size() > kMaxNameBytes || !std::all_of(name.begin(), name.end(), allowed))
    throw Error(ErrorKind::input, "name",
                "expected 1 to " + std::to_string(kMaxNameBytes) + " bytes without '/' and control characters");
  const int depth = parent == kNoAccount ? 1 : all_[at(parent)].depth + 1;
  if (depth > kMaxDepth)
    throw Error(ErrorKind::input, "account", "is deeper than " + std::to_string(kMaxDepth) + " accounts");
  if (const auto path = path_of(parent, name); by_path_.contains(path))
    throw Error(ErrorKind::input, "name", "'" + path + "' is open");
  if (free_.empty())
    throw Error(ErrorKind::input, "ledger.max_accounts", std::to_string(all_.size()) + " accounts are open");
}

AccountId Accounts::open(AccountId parent, std::string_view name, const Units& limits) {
  std::string path = path_of(parent, name);
  by_path_.emplace(path, free_.back());
  Account& account = all_[free_.back()];
  const AccountId id{free_.back(), account.generation};
  free_.pop_back();
  account = Account{};
  account.limits = limits;
  account.parent = parent.index;
  account.generation = id.generation;
  account.depth = parent == kNoAccount ? 1 : all_[parent.index].depth + 1;
  account.open = true;
  account.path = std::move(path);
  return id;
}

std::string Accounts::next_name(AccountId parent) {
  std::string name;
  do {
    name = "~" + std::to_string(++unnamed_);
  } while (by_path_.contains(path_of(parent, name)));
  return name;
}

bool Accounts::within(std::uint32_t index, std::uint32_t ancestor) const {
  while (index != kNone && index != ancestor) index = all_[index].parent;
  return index == ancestor;
}

void Accounts::close(std::uint32_t index) {
  std::vector<std::uint32_t> closing;
  for (std::uint32_t i = 0; i < all_.size(); ++i)
    if (all_[i].open && within(i, index)) closing.push_back(i);
  for (const std::uint32_t i : closing) {
    by_path_.erase(all_[i].path);
    all_[i].open = false;
    ++all_[i].generation;
    free_.push_back(i);  // never beyond its capacity
  }
}

AccountId Accounts::find(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? kNoAccount : id(found->second);
}

}  // namespace turnout::budget
