#include "keystore-tools/test.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "native/keys/replication.h"
#include "native/pkcs11/error.h"
#include "native/x509/trial_signature.h"

namespace keystay::tools {
namespace {

using std::chrono::steady_clock;

double milliseconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

void reach(keys::KeySource& source) {
  const auto begin = steady_clock::now();
  const pkcs11::TokenInfo token = source.info();
  fmt::print("{}: reached in {:.1f} ms: label \"{}\", serial {}, {} {}\n", source.name(),
             milliseconds_since(begin), token.label, token.serial, token.manufacturer, token.model);
}

// Reaches each member of a group and logs in. Returns how many cannot be used.
std::size_t reach_each(const std::vector<keys::Replica>& members) {
  std::size_t failed = 0;
  for (const keys::Replica& member : members) {
    try {
      member.source->recover();
      reach(*member.source);
    } catch (const pkcs11::Error& error) {
      ++failed;
      fmt::print("{}: fails: {}\n", member.source->name(), error.what());
    }
  }
  return failed;
}

}  // namespace

void Test::run(AliasStore& store) const {
  keys::KeySource& source = store.keys().source();
  const auto group = source.replication();
  const std::size_t failed = group ? reach_each(group->replicas) : 0;
  if (!group) reach(source);
  if (group && failed == group->replicas.size())
    throw Failure("no member of " + source.name() + " can be used");
  fmt::print("login: {}\n", source.pin_supply() == keys::PinSupply::none
                                ? "none, no PIN is configured; private keys may not show"
                                : "done");
  std::optional<keys::Entry> entry;
  if (!alias.empty()) {
    entry = store.keys().find(alias);
    if (!entry) throw Failure("there is no key \"" + alias + "\" on " + keys::name_with_members(source));
  } else {
    for (keys::Entry& candidate : store.keys().entries())
      if (!entry && x509::is_signing_key(candidate)) entry.emplace(std::move(candidate));
  }
  if (entry && !x509::is_signing_key(*entry))
    throw Failure("\"" + alias + "\" is a key that cannot sign; name another one");
  if (entry)
    fmt::print("signature: with \"{}\", {:.2f} ms\n", entry->alias,
               x509::make_trial_signature(*entry).took.count());
  else
    fmt::print("signature: not tried, there is no key that signs\n");
  if (failed != 0) {
    throw Failure(fmt::format("{} of {} members of {} cannot be used; it works by the others", failed,
                              group->replicas.size(), source.name()));
  }
  fmt::print("Connected\n");
}

}  // namespace keystay::tools
