// What an ACME server answers: its resources (RFC 8555, section 7.1), of which those members are read that
// are used. A parser throws Failure for a body that is no such resource.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keystore-tools/acme/problem.h"

namespace keystay::tools::acme {

// Section 7.1.1.
struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string terms_of_service;  // a URL; empty: there are none
  bool external_account_required = false;
};
[[nodiscard]] Directory parse_directory(std::string_view body);

// RFC 8555, section 9.7.7, and RFC 8738.
enum class IdentifierType { dns, ip };
struct Identifier {
  IdentifierType type = IdentifierType::dns;
  std::string value;  // "example.org", "*.example.org", "192.0.2.1"

  [[nodiscard]] bool is_wildcard() const { return value.starts_with("*."); }
  bool operator==(const Identifier&) const = default;
};

// Section 7.1.6.
enum class Status { pending, ready, processing, valid, invalid, gone };

// Section 7.1.3.
struct Order {
  Status status = Status::pending;
  std::vector<std::string> authorizations;  // URLs
  std::string finalize;                     // a URL
  std::string certificate;                  // a URL; empty until it is issued
  std::optional<Problem> error{};
};
[[nodiscard]] Order parse_order(std::string_view body);

// Section 8.
struct Challenge {
  std::string type;  // "http-01"
  std::string url;
  std::string token;  // base64url
  std::optional<Problem> error{};
};

// Section 7.1.4. An authorization of a wildcard's name has the name without the "*.".
struct Authorization {
  Status status = Status::pending;
  Identifier identifier;
  bool wildcard = false;
  std::vector<Challenge> challenges;  // those whose type, url and token can be used
};
[[nodiscard]] Authorization parse_authorization(std::string_view body);

}  // namespace keystay::tools::acme
