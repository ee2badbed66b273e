#include "keystore-tools/acme/webroot.h"

#include <string>
#include <system_error>
#include <utility>

#include "keystore-tools/failure.h"
#include "native/config/file.h"

namespace keystay::tools::acme {
namespace {

constexpr mode_t kReadableByAll = 0644;

}  // namespace

Webroot::Webroot(std::filesystem::path root) : root_(std::move(root)) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(root_, unreadable))
    throw Failure("-webroot " + root_.string() + " is no directory that can be entered");
}

// The token is base64url (resources.h), so that it leads nowhere else.
std::filesystem::path Webroot::file_of(const ChallengeResponse& response) const {
  return root_ / (kChallengePath + 1) / response.token;
}

void Webroot::publish(const ChallengeResponse& response) {
  const std::filesystem::path file = file_of(response);
  try {
    std::filesystem::create_directories(file.parent_path());
    config::replace_file(file, response.key_authorization, kReadableByAll);
  } catch (const std::system_error& error) {
    throw Failure("cannot write " + file.string() + ": " + error.code().message());
  }
}

void Webroot::withdraw(const ChallengeResponse& response) {
  const std::filesystem::path file = file_of(response);
  std::error_code error;
  std::filesystem::remove(file, error);
  if (error) throw Failure("cannot remove " + file.string() + ": " + error.message());
}

}  // namespace keystay::tools::acme
