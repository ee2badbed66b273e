// dns-01 (RFC 8555, section 8.4) by a program that knows the zone: PROGRAM add NAME VALUE puts a TXT record
// there and ends when it can be seen, PROGRAM remove NAME VALUE takes it away (docs/user/acme.md).
#pragma once

#include "keystore-tools/acme/challenge_response.h"
#include "keystore-tools/acme/hook.h"

namespace keystay::tools::acme {

class DnsHook final : public Responder {
 public:
  explicit DnsHook(Hook hook) : hook_(std::move(hook)) {}

  [[nodiscard]] std::string_view challenge_type() const noexcept override { return "dns-01"; }
  void publish(const ChallengeResponse& response) override { run("add", response); }
  void withdraw(const ChallengeResponse& response) override { run("remove", response); }

 private:
  void run(const char* action, const ChallengeResponse& response) const;

  Hook hook_;
};

}  // namespace keystay::tools::acme
