// Requests of one account to one ACME server (RFC 8555, section 6): each a JWS with a nonce of the server's,
// which is made anew when the server takes the nonce for used.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "keystore-tools/acme/https_client.h"
#include "keystore-tools/acme/jws.h"
#include "keystore-tools/acme/resources.h"

namespace keystay::tools::acme {

// Not thread-safe. Throws Refusal for what the server refuses, Failure for what it does not answer, and
// pkcs11::Error where the token does not sign.
class Client final {
 public:
  // Reads the directory. `https` must outlive it.
  Client(HttpsClient& https, const std::string& directory_url);

  [[nodiscard]] const Directory& directory() const noexcept { return directory_; }
  [[nodiscard]] const std::string& directory_url() const noexcept { return directory_url_; }

  // The key that signs from here on, and its account: a URL, which is the "kid" (section 6.2), or empty as
  // long as there is none.
  void use_key(JwsKey key);
  void use_account(std::string url) { account_ = std::move(url); }
  [[nodiscard]] const JwsKey& key() const noexcept { return key_; }
  [[nodiscard]] const std::string& account() const noexcept { return account_; }

  // `what` is for messages: "newOrder". The payload is JSON.
  Response post(std::string_view what, const std::string& url, const std::string& payload);
  // Section 6.3.
  Response post_as_get(std::string_view what, const std::string& url, const char* accept = nullptr);

 private:
  [[nodiscard]] std::string nonce();
  Response post_once(const std::string& url, const std::string& payload, const char* accept);
  Response post(std::string_view what, const std::string& url, const std::string& payload,
                const char* accept);

  HttpsClient& https_;
  std::string directory_url_;
  Directory directory_;
  JwsKey key_;
  std::string account_;
  std::string nonce_;  // of the last answer, not used yet; empty: none
};

// How long to wait until the next look at a resource: what the server says, within bounds, else a second.
[[nodiscard]] std::chrono::seconds pause_of(const Response& response);

}  // namespace keystay::tools::acme
