// What an audit of one token found: every key, every certificate that belongs to none, and what is not as the
// policy wants it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keystore-tools/audit_policy.h"
#include "native/keys/alias_state.h"
#include "native/keys/key_protection.h"
#include "native/keys/listing.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/token_info.h"

namespace keystay::tools {

// `rule` is one of those of docs/user/audit.md, and does not change.
struct Finding {
  std::string_view rule;
  std::string text;  // completes "alias "httpd": …"
};

struct AuditedCertificate {
  std::string subject;  // as a person reads it
  std::string issuer;
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
  long days = 0;  // that it is valid yet; negative: since when it is not
  bool self_signed = false;
  std::size_t chain_length = 0;
  bool complete = false;  // the chain ends in a root, by CAs that are valid now
};

struct AuditedKey {
  std::string alias;
  keys::AliasState state = keys::AliasState::active;
  std::string key;                                  // "EC (P-256) key"
  std::optional<keys::KeyProtection> protection{};  // nothing if the token shows it no more
  pkcs11::Bytes id{};
  std::optional<AuditedCertificate> certificate{};
  std::vector<Finding> findings{};
};

// A certificate without a key, an unfinished object, or what cannot be read.
struct AuditedObject {
  std::string name;
  std::string kind;  // "trusted certificate", "unfinished object", "unreadable object"
  std::vector<Finding> findings{};
};

struct AuditReport {
  std::string source;  // `token "web"`
  pkcs11::TokenInfo token;
  std::vector<AuditedKey> keys;
  std::vector<AuditedObject> others;

  [[nodiscard]] std::size_t findings() const;
};

// What one look at a token gave.
struct AuditedToken {
  std::string source;
  pkcs11::TokenInfo token;
  keys::Listing listing;
  std::vector<keys::KeyProtection> protection;
};

[[nodiscard]] AuditReport audit(const AuditedToken& token, const AuditPolicy& policy, const keys::Pkix& pkix,
                                std::chrono::system_clock::time_point now);

}  // namespace keystay::tools
