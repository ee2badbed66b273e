// Subjects and issuers for tests of chains: who certifies whom, under which name, for how long.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "tests/support/test_ca.h"

namespace keystay::test {

// A name and a key. Several parties may share either.
struct Party {
  std::string name;  // commonName
  std::shared_ptr<EVP_PKEY> key;

  explicit Party(std::string common_name);  // with a key of its own, EC P-256
  Party(std::string common_name, std::shared_ptr<EVP_PKEY> with_key);
};

// How a certificate writes a name.
struct WrittenName {
  std::string text;  // empty: the party's
  int type = 12;     // V_ASN1_UTF8STRING and the like
};

struct Terms {
  bool ca = true;
  std::chrono::seconds valid_from = std::chrono::hours(-1);
  std::chrono::seconds valid_until = std::chrono::hours(24);
  WrittenName subject{};
  WrittenName issuer{};
};

[[nodiscard]] Terms expired();
[[nodiscard]] Terms end_entity();

// A certificate of `subject` by `issuer`, as PEM.
[[nodiscard]] std::string certificate(const Party& subject, const Party& issuer, const Terms& terms = {});

// The key of a PKCS #10 request.
[[nodiscard]] std::shared_ptr<EVP_PKEY> key_of_request(const std::string& pem);

}  // namespace keystay::test
