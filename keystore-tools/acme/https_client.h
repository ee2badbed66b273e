// HTTPS as an ACME client needs it (RFC 8555, section 6.1), by libcurl: one request at a time over
// connections that are kept; no other scheme and no redirect; bounded in size and time.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace keystay::tools::acme {

enum class Method { get, head, post };

struct Request {
  Method method = Method::get;
  std::string url;
  std::string body{};            // of post: application/jose+json
  const char* accept = nullptr;  // a media type; null: any
};

struct Response {
  int status = 0;
  std::string body;
  std::string nonce;                                  // Replay-Nonce; empty: none
  std::string location;                               // Location; empty: none
  std::optional<std::chrono::seconds> retry_after{};  // Retry-After, a date too (RFC 9110, section 10.2.3)

  [[nodiscard]] bool is_successful() const noexcept { return status >= 200 && status < 300; }
};

// Not thread-safe.
class HttpsClient final {
 public:
  // `authorities` is a PEM file of whom the server's certificate is to be from; empty: whom the system
  // trusts.
  explicit HttpsClient(std::filesystem::path authorities);
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;
  ~HttpsClient();

  // A response of any status. Throws Failure, with what to do, if there is none.
  Response perform(const Request& request);

 private:
  std::filesystem::path authorities_;
  void* handle_;  // CURL
};

}  // namespace keystay::tools::acme
