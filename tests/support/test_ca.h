// A certification authority for tests, made with libcrypto: a root and an intermediate.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "tests/support/temporary_directory.h"

namespace keystay::test {

struct OpensslDelete {
  void operator()(EVP_PKEY* key) const noexcept;
  void operator()(X509* certificate) const noexcept;
};
template <typename T>
using Openssl = std::unique_ptr<T, OpensslDelete>;

enum class KeyKind { rsa, ec };  // RSA-2048, EC P-256

[[nodiscard]] Openssl<EVP_PKEY> generate_key(KeyKind kind);
[[nodiscard]] std::string private_key_pem(EVP_PKEY* key);

// What a leaf says besides its subject and public key. Times are relative to now, so the past can be ordered.
struct LeafOptions {
  std::vector<std::string> dns_names = {"localhost"};
  std::vector<std::string> ip_addresses = {"127.0.0.1"};
  std::vector<std::string> uris = {};
  std::string usage = "serverAuth";  // extendedKeyUsage
  std::chrono::seconds valid_from = std::chrono::hours(-1);
  std::chrono::seconds valid_until = std::chrono::hours(24);

  // A leaf whose last day was yesterday.
  [[nodiscard]] static LeafOptions expired();
};

// A certificate with a software key: a backend's, or the one that Keystay is measured against.
struct SoftwareIdentity {
  std::string key_pem;
  std::string chain_pem;  // the leaf first, without the root
};

class TestCa final {
 public:
  explicit TestCa(KeyKind kind = KeyKind::ec);

  [[nodiscard]] const std::string& root_pem() const noexcept { return root_pem_; }
  [[nodiscard]] const std::string& intermediate_pem() const noexcept { return intermediate_pem_; }

  // Signs a PKCS #10 request by the intermediate, after checking the request's own signature. Returns the
  // leaf as PEM. Throws std::runtime_error, with OpenSSL's reason, for a request that is not one.
  [[nodiscard]] std::string sign(std::string_view request_pem, const LeafOptions& options = {}) const;
  // The same, followed by the intermediate: what a server sends, and what `-importcert` takes as a reply.
  [[nodiscard]] std::string sign_with_chain(std::string_view request_pem,
                                            const LeafOptions& options = {}) const;

  // A leaf for a key that has no request: a software key.
  [[nodiscard]] SoftwareIdentity issue(KeyKind kind, const LeafOptions& options = {}) const;

  // root.pem, for curl --cacert and openssl -CAfile; returns its path.
  std::filesystem::path write_root(const TemporaryDirectory& directory) const;

 private:
  [[nodiscard]] std::string leaf(X509_NAME* subject, EVP_PKEY* key, const LeafOptions& options) const;

  Openssl<EVP_PKEY> root_key_;
  Openssl<X509> root_;
  Openssl<EVP_PKEY> intermediate_key_;
  Openssl<X509> intermediate_;
  std::string root_pem_;
  std::string intermediate_pem_;
};

}  // namespace keystay::test
