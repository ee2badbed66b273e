// Aliases and certificates in JSON, alike in all commands. The keys stand in docs/user/keystay.md, -list.
#pragma once

#include <cstddef>

#include <boost/json/fwd.hpp>

#include "native/keys/entry.h"
#include "native/keys/secret_key.h"

namespace keystay::tools {

// Subject, issuer, validity and fingerprint.
[[nodiscard]] boost::json::object certificate_in_json(const keys::Certificate& certificate);

// A key with its state and its leaf. `chain_length` counts the leaf too; 0 without one.
[[nodiscard]] boost::json::object entry_in_json(const keys::Entry& entry, std::size_t chain_length);
[[nodiscard]] boost::json::object entry_in_json(const keys::SecretKey& key);

}  // namespace keystay::tools
