// How the key of an alias is followed by another one (docs/design/alias-model.md, "Versions"). A program that
// loads the alias gets the old key until the new one has its certificate, and the new one from then on: the
// two change places by one write, the CKA_LABEL of the new private key. The old one is kept as a version,
// with its certificate.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "native/keys/key_spec.h"
#include "native/keys/key_store.h"

namespace keystay::keys {

// Of a source of several tokens it changes each. Throws pkcs11::Error.
class Rotation final {
 public:
  // Must outlive it.
  explicit Rotation(KeyStore& keys) : keys_(keys) {}

  // The key that is to follow that of this alias; nothing if there is none.
  [[nodiscard]] std::optional<Entry> next_of(std::string_view alias);

  // Throws Error (client) unless this key can be followed by another: it is an alias that is active, has a
  // CKA_ID of its own and a public key object, and nothing is to follow it yet.
  void require_followable(const Entry& current);

  // Makes the key that is to follow. `certify` gives it a chain, which may be empty; if anything fails,
  // nothing remains.
  using Certify = std::function<Chain(const Entry&)>;
  Entry begin(const Entry& current, const KeyRequest& request, const Certify& certify);

  // The alias is the next key from here on, and the current one a version of it, whose number is returned.
  // Throws Error (client) if the next key has no certificate. Can be repeated after it was interrupted.
  unsigned finish(const Entry& current, const Entry& next);
  // The same on a member of a group that an interrupted finish() has left out: the old key gets the number
  // that it has on those that have gone over.
  void finish_as(const Entry& current, const Entry& next, unsigned number);

 private:
  void switch_on(KeySource& source, const Entry& current, const Entry& next, unsigned number);

  KeyStore& keys_;
};

}  // namespace keystay::keys
