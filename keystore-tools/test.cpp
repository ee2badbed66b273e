#include "keystore-tools/test.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <vector>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "native/pkcs11/error.h"

namespace keystay::tools {
namespace {

using std::chrono::steady_clock;

double milliseconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

// Data that every key of the type signs, whatever it is: 32 bytes, as a digest has them.
pkcs11::SignMechanism mechanism_for(CK_KEY_TYPE type) {
  if (type == CKK_RSA) return pkcs11::RsaPkcs{};
  if (type == CKK_EC_EDWARDS) return pkcs11::EdDsa{};
  return pkcs11::Ecdsa{};
}

double time_signature(const keys::PrivateKey& key) {
  const std::array<std::uint8_t, 32> data{};
  std::vector<std::uint8_t> signature(key.signature_size());
  key.sign(mechanism_for(key.type()), data, signature);  // finds the key; the next one is like all others
  const auto begin = steady_clock::now();
  key.sign(mechanism_for(key.type()), data, signature);
  return milliseconds_since(begin);
}

bool can_sign(const keys::Entry& entry) { return entry.key.signature_size() > 0; }

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
      if (!entry && can_sign(candidate)) entry.emplace(std::move(candidate));
  }
  if (entry)
    fmt::print("signature: with \"{}\", {:.2f} ms\n", entry->alias, time_signature(entry->key));
  else
    fmt::print("signature: not tried, there is no key that signs\n");
  fmt::print("Connected\n");
}

}  // namespace keystay::tools
