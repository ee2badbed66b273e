// http-01 (RFC 8555, section 8.3) by a server of its own, as long as it lives: on port 80 itself, or behind
// whoever has that port and passes the challenges on (acme-backend of keystay-tlsd).
#pragma once

#include <memory>
#include <string>

#include "keystore-tools/acme/challenge_response.h"

namespace keystay::tools::acme {

class ChallengeServer final : public Responder {
 public:
  // "80" of all addresses of the machine, "127.0.0.1:8402", "[::1]:8402", "unix:/run/acme.sock". Throws
  // UsageError for any other text, and Failure if it cannot listen there.
  explicit ChallengeServer(const std::string& address);
  ~ChallengeServer() override;

  [[nodiscard]] std::string_view challenge_type() const noexcept override { return "http-01"; }
  void publish(const ChallengeResponse& response) override;
  void withdraw(const ChallengeResponse& response) override;

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

// Throws UsageError unless it is such an address.
void require_challenge_address(const std::string& address);

}  // namespace keystay::tools::acme
