// How challenges are answered (RFC 8555, section 8): where the key authorization is shown to the CA, and
// taken away again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "keystore-tools/acme/resources.h"

namespace keystay::tools::acme {

// One challenge with what answers it.
struct ChallengeResponse {
  Identifier identifier;          // without "*."
  std::string token;              // base64url
  std::string key_authorization;  // section 8.1
};

// One way, for one type of challenge.
class Responder {
 public:
  Responder() = default;
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  virtual ~Responder() = default;

  // "http-01", "dns-01".
  [[nodiscard]] virtual std::string_view challenge_type() const noexcept = 0;
  // The response can be seen when it returns. Throws Failure; nothing is to be withdrawn then.
  virtual void publish(const ChallengeResponse& response) = 0;
  // Throws Failure.
  virtual void withdraw(const ChallengeResponse& response) = 0;
};

// What was published, and is withdrawn with it, newest first; what cannot be withdrawn is told on standard
// error.
class PublishedResponses final {
 public:
  PublishedResponses() = default;
  PublishedResponses(const PublishedResponses&) = delete;
  PublishedResponses& operator=(const PublishedResponses&) = delete;
  ~PublishedResponses();

  void publish(Responder& responder, ChallengeResponse response);

 private:
  struct Published {
    Responder& responder;
    ChallengeResponse response;
  };
  std::vector<Published> published_;
};

}  // namespace keystay::tools::acme
