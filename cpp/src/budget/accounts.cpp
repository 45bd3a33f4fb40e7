#include "accounts.hpp"

#include <algorithm>

namespace turnout::budget {
namespace {

bool allowed(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '/'; }

void check_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || !std::all_of(name.begin(), name.end(), allowed))
    throw Error(ErrorKind::input, "name",
                "expected 1 to " + std::to_string(kMaxNameBytes) + " bytes without '/' and control characters");
}

void check_depth(int depth) {
  if (depth > kMaxDepth)
    throw Error(ErrorKind::input, "account", "is deeper than " + std::to_string(kMaxDepth) + " accounts");
}

}  // namespace

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

void Accounts::check_open(AccountId parent, std::string_view name) const {
  check_name(name);
  check_depth(parent == kNoAccount ? 1 : all_[at(parent)].depth + 1);
  check_room(path_of(parent, name), 1);
}

void Accounts::check_room(std::string_view path, std::size_t accounts) const {
  if (by_path_.contains(path)) throw Error(ErrorKind::input, "name", "'" + std::string(path) + "' is open");
  if (free_.size() < accounts)
    throw Error(ErrorKind::input, "ledger.max_accounts",
                std::to_string(all_.size() - free_.size()) + " of " + std::to_string(all_.size()) + " are open");
}

void Accounts::check_path(std::string_view path) const {
  int depth = 0;
  std::size_t missing = 0;
  for (std::size_t end = 0; end != path.npos; ++depth) {
    const std::size_t start = depth == 0 ? 0 : end + 1;
    end = path.find('/', start);
    check_name(path.substr(start, end - start));
    missing += !by_path_.contains(path.substr(0, end));
  }
  check_depth(depth);
  check_room(path, missing);
}

AccountId Accounts::open_path(std::string_view path, const Units& limits) {
  static constexpr Units kNoLimits = {kUnlimited, kUnlimited, kUnlimited, kUnlimited};
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return open(kNoAccount, path, limits);
  AccountId parent = find(path.substr(0, slash));
  if (parent == kNoAccount) parent = open_path(path.substr(0, slash), kNoLimits);
  return open(parent, path.substr(slash + 1), limits);
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
  if (parent != kNoAccount) at(parent);
  std::string name;
  std::uint64_t number = unnamed_;
  do {
    name = "~" + std::to_string(++number);
  } while (by_path_.contains(path_of(parent, name)));
  check_open(parent, name);
  unnamed_ = number;
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
