// What an audit expects of keys and certificates: a file in TOML, or what stands here. docs/user/audit.md has
// its keys.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace keystay::tools {

// How long something must have been so.
enum class Lasting { always, now, any };

struct AuditPolicy {
  bool made_in_token = true;  // CKA_LOCAL
  Lasting sensitive = Lasting::always;
  Lasting not_extractable = Lasting::always;
  std::vector<std::string> uses{"sign", "sign-recover"};  // none besides
  std::vector<std::string> secret_uses{"encrypt", "decrypt", "wrap", "unwrap",
                                       "sign"};  // of secret keys, likewise
  unsigned secret_bits = 128;                    // at least
  unsigned rsa_bits = 2048;                      // at least
  std::vector<std::string> curves{"P-256", "P-384", "P-521", "Ed25519", "Ed448"};
  bool certificate_required = true;
  std::vector<std::string> keys_without_certificate{"acme-account"};  // aliases that need none
  bool chain_complete = true;
  bool self_signed_allowed = true;
  int days = 30;  // that a certificate must be valid at least

  // Throws config::Error that names file, line and key.
  [[nodiscard]] static AuditPolicy parse(std::string_view toml, const std::filesystem::path& file);
};

}  // namespace keystay::tools
