#include "keystore-tools/audit_policy.h"

#include <algorithm>
#include <array>
#include <span>

#include "native/config/table_reader.h"
#include "native/config/toml_document.h"
#include "native/pkcs11/curve.h"

namespace keystay::tools {
namespace {

using config::TableReader;

constexpr std::array<std::string_view, 5> kUses{"sign", "sign-recover", "decrypt", "unwrap", "derive"};
constexpr std::array<std::string_view, 6> kSecretUses{"encrypt", "decrypt", "wrap",
                                                      "unwrap",  "sign",    "derive"};
constexpr std::int64_t kMostDays = 36'500;

Lasting lasting(const TableReader& keys, std::string_view key, Lasting otherwise) {
  const auto text = keys.text(key);
  if (!text) return otherwise;
  if (*text == "always") return Lasting::always;
  if (*text == "now") return Lasting::now;
  if (*text == "any") return Lasting::any;
  keys.fail(key, "expected \"always\", \"now\" or \"any\", got \"" + *text + "\"");
}

std::string quoted(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names)
    text.append(text.empty() ? "\"" : ", \"").append(name).append("\"");
  return text;
}

std::vector<std::string> uses(const TableReader& keys, std::string_view key,
                              std::span<const std::string_view> known, std::vector<std::string> otherwise) {
  auto names = keys.texts(key);
  if (!names) return otherwise;
  for (const std::string& name : *names) {
    if (std::ranges::find(known, name) == known.end())
      keys.fail(key, "expected some of " + quoted(known) + ", got \"" + name + "\"");
  }
  return *std::move(names);
}

// By the names that reports use.
std::vector<std::string> curves(const TableReader& keys, std::vector<std::string> otherwise) {
  const auto names = keys.texts("curves");
  if (!names) return otherwise;
  std::vector<std::string> curves;
  for (const std::string& name : *names) {
    const pkcs11::Curve* curve = pkcs11::find_curve(name);
    if (!curve) keys.fail("curves", "\"" + name + "\" is no curve that Keystay knows");
    curves.emplace_back(curve->name);
  }
  return curves;
}

void read_keys(const TableReader& keys, AuditPolicy& policy) {
  keys.allow({"made-in-token", "sensitive", "not-extractable", "uses", "secret-uses", "secret-bits",
              "rsa-bits", "curves"});
  policy.made_in_token = keys.boolean("made-in-token").value_or(policy.made_in_token);
  policy.sensitive = lasting(keys, "sensitive", policy.sensitive);
  policy.not_extractable = lasting(keys, "not-extractable", policy.not_extractable);
  policy.uses = uses(keys, "uses", kUses, std::move(policy.uses));
  policy.secret_uses = uses(keys, "secret-uses", kSecretUses, std::move(policy.secret_uses));
  policy.secret_bits =
      static_cast<unsigned>(keys.integer("secret-bits", {1, 4096}).value_or(policy.secret_bits));
  policy.rsa_bits = static_cast<unsigned>(keys.integer("rsa-bits", {512, 16384}).value_or(policy.rsa_bits));
  policy.curves = curves(keys, std::move(policy.curves));
}

void read_certificates(const TableReader& certificates, AuditPolicy& policy) {
  certificates.allow({"required", "not-for", "complete-chain", "self-signed", "days"});
  policy.certificate_required = certificates.boolean("required").value_or(policy.certificate_required);
  policy.keys_without_certificate =
      certificates.texts("not-for").value_or(std::move(policy.keys_without_certificate));
  policy.chain_complete = certificates.boolean("complete-chain").value_or(policy.chain_complete);
  policy.self_signed_allowed = certificates.boolean("self-signed").value_or(policy.self_signed_allowed);
  policy.days = static_cast<int>(certificates.integer("days", {0, kMostDays}).value_or(policy.days));
}

}  // namespace

AuditPolicy AuditPolicy::parse(std::string_view toml, const std::filesystem::path& file) {
  const config::TomlTable content = config::parse_toml(toml, file);
  const TableReader document(content, "", 1, file);
  document.allow({"keys", "certificates"});
  AuditPolicy policy;
  if (const auto keys = document.table("keys")) read_keys(*keys, policy);
  if (const auto certificates = document.table("certificates")) read_certificates(*certificates, policy);
  return policy;
}

}  // namespace keystay::tools
