// A source of several tokens, as those see it who change something: what is made, renamed or destroyed is so
// on each of them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "native/pkcs11/cryptoki.h"

namespace keystay::keys {

class KeySource;

// A secret key (CKO_SECRET_KEY) that all tokens of the source have. Under it a new private key goes from one
// to the others.
struct WrappingKey {
  std::string label;                           // CKA_LABEL
  std::optional<CK_MECHANISM_TYPE> mechanism;  // of C_WrapKey; nothing: the first of
                                               // usual_wrapping_mechanisms() that both tokens have
};

// One of the tokens.
struct Replica {
  std::string name;  // in the configuration
  std::shared_ptr<KeySource> source;
};

struct Replication {
  std::vector<Replica> replicas;  // the first one that answers makes new keys
  std::optional<WrappingKey> wrapping_key;
  std::size_t create_minimum = 1;  // so many must have a new key, or none keeps it
  // Takes sentences about what the result of a change does not say: who lacks what. Throws nothing.
  std::function<void(const std::string& sentence)> notice;
};

}  // namespace keystay::keys
