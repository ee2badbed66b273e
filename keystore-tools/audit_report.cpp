#include "keystore-tools/audit_report.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include <fmt/core.h>

#include "native/keys/chain.h"
#include "native/pkcs11/curve.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"

namespace keystay::tools {
namespace {

using keys::Certificate;
using keys::KeyProtection;
using pkcs11::printable;

using Findings = std::vector<Finding>;

constexpr const char* kUnsaid = "the token does not say ";

// What must be so now, and, with Lasting::always, must have been so since the key was made.
struct Protection {
  std::string_view rule;
  std::optional<bool> now;
  const char* now_attribute;
  const char* not_now;
  std::optional<bool> always;
  const char* always_attribute;
  const char* not_always;
};

void check_lasting(const Protection& protection, Lasting wanted, Findings& findings) {
  if (wanted == Lasting::any) return;
  if (!protection.now) {
    findings.push_back({protection.rule, kUnsaid + std::string(protection.now_attribute)});
  } else if (!*protection.now) {
    findings.push_back({protection.rule, protection.not_now});
  } else if (wanted == Lasting::always && !protection.always) {
    findings.push_back({protection.rule, kUnsaid + std::string(protection.always_attribute)});
  } else if (wanted == Lasting::always && !*protection.always) {
    findings.push_back({protection.rule, protection.not_always});
  }
}

void check_protection(const KeyProtection& key, const AuditPolicy& policy, Findings& findings) {
  if (policy.made_in_token && !key.local) findings.push_back({"origin", std::string(kUnsaid) + "CKA_LOCAL"});
  if (policy.made_in_token && key.local == false)
    findings.push_back({"origin", "it was made elsewhere and brought to the token (CKA_LOCAL is false)"});
  check_lasting(
      {"sensitive", key.sensitive, "CKA_SENSITIVE", "it can be read in plain text (CKA_SENSITIVE is false)",
       key.always_sensitive, "CKA_ALWAYS_SENSITIVE",
       "it could be read in plain text at some time (CKA_ALWAYS_SENSITIVE is false)"},
      policy.sensitive, findings);
  const auto opposite = [](std::optional<bool> flag) { return flag ? std::optional(!*flag) : std::nullopt; };
  check_lasting(
      {"extractable", opposite(key.extractable), "CKA_EXTRACTABLE",
       "it can leave the token, wrapped (CKA_EXTRACTABLE is true)", key.never_extractable,
       "CKA_NEVER_EXTRACTABLE",
       "it could leave the token at some time, wrapped or before it came there (CKA_NEVER_EXTRACTABLE is "
       "false)"},
      policy.not_extractable, findings);
  const auto& allowed = key.object_class == CKO_SECRET_KEY ? policy.secret_uses : policy.uses;
  for (const std::string& use : key.uses) {
    if (std::ranges::find(allowed, use) == allowed.end())
      findings.push_back({"use", "it may " + use + ", which the policy does not allow"});
  }
}

void check_strength(const pkcs11::PublicKey& key, const AuditPolicy& policy, Findings& findings) {
  if (const auto* rsa = std::get_if<pkcs11::RsaPublicKey>(&key)) {
    const std::size_t bits = rsa->modulus.size() * 8;
    if (bits < policy.rsa_bits)
      findings.push_back({"size", fmt::format("its RSA modulus has {} bits, and the policy wants {}", bits,
                                              policy.rsa_bits)});
    return;
  }
  const auto parameters = std::visit(
      [](const auto& of) -> pkcs11::Bytes {
        if constexpr (requires { of.parameters; }) {
          return of.parameters;
        } else {
          return {};
        }
      },
      key);
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(parameters);
  const std::string name = curve ? std::string(curve->name) : "a curve that is not known here";
  if (std::ranges::find(policy.curves, name) == policy.curves.end())
    findings.push_back({"curve", "it is on " + name + ", which the policy does not allow"});
}

long days_until(std::chrono::system_clock::time_point end, std::chrono::system_clock::time_point now) {
  return static_cast<long>(std::chrono::floor<std::chrono::days>(end - now).count());
}

void check_validity(const Certificate& certificate, const char* what, int days,
                    std::chrono::system_clock::time_point now, Findings& findings) {
  const std::string name = std::string(what) + " ";
  if (certificate.not_after < now) {
    findings.push_back({"expired", name + "expired on " + x509::describe_time(certificate.not_after)});
  } else if (certificate.not_before > now) {
    findings.push_back(
        {"not-yet-valid", name + "is not valid before " + x509::describe_time(certificate.not_before)});
  } else if (days_until(certificate.not_after, now) < days) {
    findings.push_back({"expires-soon", fmt::format("{}expires in {} days, on {}", name,
                                                    days_until(certificate.not_after, now),
                                                    x509::describe_time(certificate.not_after))});
  }
}

void check_chain(const keys::Chain& chain, const AuditPolicy& policy, const keys::Pkix& pkix,
                 std::chrono::system_clock::time_point now, Findings& findings) {
  for (auto issuer = chain.begin() + 1; issuer != chain.end(); ++issuer) {
    const std::string name = "its issuer \"" + x509::format_name(issuer->subject) + "\"";
    check_validity(*issuer, name.c_str(), policy.days, now, findings);
    if (!issuer->is_ca) findings.push_back({"issuer-no-ca", name + " is no CA (basicConstraints)"});
  }
  if (policy.chain_complete && !keys::is_self_signed(chain.back(), pkix))
    findings.push_back({"chain", "its chain ends with \"" + x509::format_name(chain.back().subject) +
                                     "\", whose issuer is not on the token"});
}

AuditedCertificate audited(const keys::Chain& chain, const keys::Pkix& pkix,
                           std::chrono::system_clock::time_point now) {
  const Certificate& leaf = chain.front();
  return {x509::format_name(leaf.subject),
          x509::format_name(leaf.issuer),
          leaf.not_before,
          leaf.not_after,
          days_until(leaf.not_after, now),
          keys::is_self_signed(leaf, pkix),
          chain.size(),
          keys::is_complete(chain, pkix)};
}

// What tells a public key from all others.
pkcs11::Bytes bytes_of(const pkcs11::PublicKey& key) {
  return std::visit(
      [](const auto& of) -> pkcs11::Bytes {
        if constexpr (requires { of.point; }) {
          pkcs11::Bytes bytes = of.parameters;
          bytes.insert(bytes.end(), of.point.begin(), of.point.end());
          return bytes;
        } else {
          return of.modulus;
        }
      },
      key);
}

// How often a value stands there.
template <typename Value>
class Counts final {
 public:
  void add(const Value& value) { ++counts_[value]; }
  [[nodiscard]] bool several(const Value& value) const {
    const auto found = counts_.find(value);
    return found != counts_.end() && found->second > 1;
  }

 private:
  std::map<Value, std::size_t> counts_;
};

class Audit final {
 public:
  Audit(const AuditedToken& token, const AuditPolicy& policy, const keys::Pkix& pkix,
        std::chrono::system_clock::time_point now)
      : token_(token), policy_(policy), pkix_(pkix), now_(now) {
    for (const KeyProtection& key : token.protection) {
      protection_.emplace(std::tuple(key.object_class, key.id, key.label), &key);
      if (!key.id.empty() && key.object_class == CKO_PRIVATE_KEY) ids_.add(key.id);
    }
    for (const auto& [entry, chain] : token.listing.entries) {
      aliases_.insert(pkcs11::case_folded(entry.alias));
      used_ids_.insert(entry.key.reference().id());
      holders_[bytes_of(entry.key.public_key())].push_back(&entry);
    }
  }

  AuditReport run() {
    AuditReport report{token_.source, token_.token, {}, {}};
    for (const keys::ListedEntry& listed : token_.listing.entries) report.keys.push_back(key(listed));
    for (const keys::SecretKey& secret : token_.listing.secret_keys) report.keys.push_back(key(secret));
    for (const keys::TrustedCertificate& trusted : token_.listing.trusted)
      report.others.push_back(certificate(trusted));
    for (const keys::UnreadableObject& object : token_.listing.unreadable)
      report.others.push_back({keys::name_of(object), "unreadable object", {{"unreadable", object.reason}}});
    for (const keys::Unfinished& object : token_.listing.unfinished)
      report.others.push_back(
          {printable(object.label),
           "unfinished object",
           {{"unfinished", "a command that was interrupted left it; keystay -cleanup removes it"}}});
    return report;
  }

 private:
  AuditedKey key(const keys::ListedEntry& listed) {
    const keys::Entry& entry = listed.entry;
    const pkcs11::KeyReference& reference = entry.key.reference();
    AuditedKey key{entry.alias, keys::version_of(entry.alias).state,
                   x509::describe_key(entry.key.public_key())};
    add_protection(reference, key);
    check_strength(entry.key.public_key(), policy_, key.findings);
    check_names(entry, key.findings);
    check_certificate(listed, key);
    return key;
  }

  AuditedKey key(const keys::SecretKey& secret) const {
    AuditedKey key{secret.alias, keys::version_of(secret.alias).state, keys::describe_key(secret)};
    add_protection(secret.reference, key);
    if (secret.size && *secret.size < policy_.secret_bits)
      key.findings.push_back({"size", fmt::format("it has {} bits, and the policy wants {}", *secret.size,
                                                  policy_.secret_bits)});
    if (secret.shared_name)
      key.findings.push_back(
          {"duplicate-label", "another key has its label \"" + printable(*secret.shared_name) + "\""});
    return key;
  }

  void add_protection(const pkcs11::KeyReference& reference, AuditedKey& key) const {
    key.id = reference.id();
    const auto found =
        protection_.find(std::tuple(reference.object_class(), reference.id(), reference.label()));
    if (found == protection_.end()) {
      key.findings.push_back(
          {"unreadable", "its attributes could not be read; it was changed during the audit"});
      return;
    }
    key.protection = *found->second;
    check_protection(*found->second, policy_, key.findings);
  }

  void check_names(const keys::Entry& entry, Findings& findings) const {
    if (ids_.several(entry.key.reference().id()))
      findings.push_back({"duplicate-id", "another private key has its CKA_ID"});
    if (entry.shared_name)
      findings.push_back(
          {"duplicate-label", "another private key has its label \"" + printable(*entry.shared_name) + "\""});
    for (const keys::Entry* other : holders_.at(bytes_of(entry.key.public_key()))) {
      if (other != &entry)
        findings.push_back({"duplicate-key", "it is the key of \"" + printable(other->alias) + "\" too"});
    }
  }

  void check_certificate(const keys::ListedEntry& listed, AuditedKey& key) const {
    if (!listed.entry.leaf || listed.chain.empty()) {
      // The key of a rotation that waits for the CA has none yet.
      const bool is_exempt = std::ranges::find(policy_.keys_without_certificate, key.alias) !=
                             policy_.keys_without_certificate.end();
      if (policy_.certificate_required && !is_exempt && key.state != keys::AliasState::next)
        key.findings.push_back({"no-certificate", "it has no certificate"});
      return;
    }
    key.certificate = audited(listed.chain, pkix_, now_);
    check_validity(listed.chain.front(), "its certificate", policy_.days, now_, key.findings);
    if (key.certificate->self_signed && !policy_.self_signed_allowed)
      key.findings.push_back({"self-signed", "its certificate is self-signed"});
    check_chain(listed.chain, policy_, pkix_, now_, key.findings);
  }

  AuditedObject certificate(const keys::TrustedCertificate& trusted) const {
    AuditedObject object{printable(trusted.alias), "trusted certificate", {}};
    check_validity(trusted.certificate, "the certificate", policy_.days, now_, object.findings);
    const bool has_id = !trusted.id.empty() && used_ids_.contains(trusted.id);
    if (has_id || aliases_.contains(pkcs11::case_folded(trusted.name()))) {
      object.findings.push_back({"misfit", "it has the label or CKA_ID of a key, and certifies another one"});
    } else if (!trusted.certificate.is_ca) {
      object.findings.push_back({"orphan", "it is no CA, and its private key is not on the token"});
    }
    return object;
  }

  const AuditedToken& token_;
  const AuditPolicy& policy_;
  const keys::Pkix& pkix_;
  std::chrono::system_clock::time_point now_;
  std::map<std::tuple<CK_OBJECT_CLASS, pkcs11::Bytes, std::string>, const KeyProtection*>
      protection_;  // by class, CKA_ID and CKA_LABEL
  Counts<pkcs11::Bytes> ids_;
  std::map<pkcs11::Bytes, std::vector<const keys::Entry*>> holders_;  // by the public key
  std::set<pkcs11::Bytes> used_ids_;
  std::set<std::string> aliases_;
};

std::size_t count(const auto& objects) {
  return std::accumulate(objects.begin(), objects.end(), std::size_t{0},
                         [](std::size_t sum, const auto& object) { return sum + object.findings.size(); });
}

}  // namespace

std::size_t AuditReport::findings() const { return count(keys) + count(others); }

AuditReport audit(const AuditedToken& token, const AuditPolicy& policy, const keys::Pkix& pkix,
                  std::chrono::system_clock::time_point now) {
  return Audit(token, policy, pkix, now).run();
}

}  // namespace keystay::tools
