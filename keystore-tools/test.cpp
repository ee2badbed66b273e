#include "keystore-tools/test.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "native/x509/trial_signature.h"

namespace keystay::tools {
namespace {

using std::chrono::steady_clock;

double milliseconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

}  // namespace

void Test::run(AliasStore& store) const {
  keys::KeySource& source = store.keys().source();
  const auto begin = steady_clock::now();
  const pkcs11::TokenInfo token = source.info();
  fmt::print("{}: reached in {:.1f} ms: label \"{}\", serial {}, {} {}\n", source.name(),
             milliseconds_since(begin), token.label, token.serial, token.manufacturer, token.model);
  fmt::print("login: {}\n", source.pin_supply() == keys::PinSupply::none
                                ? "none, no PIN is configured; private keys may not show"
                                : "done");
  std::optional<keys::Entry> entry;
  if (!alias.empty()) {
    entry = store.keys().find(alias);
    if (!entry) throw Failure("there is no key \"" + alias + "\" on " + source.name());
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
  fmt::print("Connected\n");
}

}  // namespace keystay::tools
