// http-01 (RFC 8555, section 8.3) by a web server that is there: a file below its document root.
#pragma once

#include <filesystem>

#include "keystore-tools/acme/challenge_response.h"

namespace keystay::tools::acme {

// What every http-01 challenge is asked for at, before its token.
inline constexpr char kChallengePath[] = "/.well-known/acme-challenge/";

class Webroot final : public Responder {
 public:
  // The document root, which must be a directory. Throws Failure.
  explicit Webroot(std::filesystem::path root);

  [[nodiscard]] std::string_view challenge_type() const noexcept override { return "http-01"; }
  // A file that all may read, in directories that are made where they are missing.
  void publish(const ChallengeResponse& response) override;
  void withdraw(const ChallengeResponse& response) override;

 private:
  [[nodiscard]] std::filesystem::path file_of(const ChallengeResponse& response) const;

  std::filesystem::path root_;
};

}  // namespace keystay::tools::acme
