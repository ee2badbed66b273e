#include "keystore-tools/certificate_reply.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "native/keys/chain.h"
#include "native/keys/name.h"
#include "native/x509/certificate_bundle.h"
#include "native/x509/certificate_text.h"
#include "native/x509/distinguished_name.h"

namespace keystay::tools {
namespace {

using keys::Certificate;

std::string subject(const Certificate& certificate) {
  return "\"" + x509::format_name(certificate.subject) + "\"";
}

// A file may hold thousands of certificates; who reads a message wants to know of which kind they are.
constexpr std::size_t kMostNamed = 5;

std::string subjects(const std::vector<Certificate>& certificates) {
  std::string list;
  const std::size_t named = std::min(certificates.size(), kMostNamed);
  for (const Certificate& certificate : std::span(certificates).first(named))
    list += (list.empty() ? "" : ", ") + subject(certificate);
  return list + (named < certificates.size() ? fmt::format(" and {} more", certificates.size() - named)
                                             : std::string());
}

bool contains(const std::vector<Certificate>& certificates, const Certificate& certificate) {
  return std::ranges::find(certificates, certificate.der, &Certificate::der) != certificates.end();
}

// It came with an earlier reply, so this one is not refused for it.
void report_expired(const Certificate& issuer) {
  const bool expired = issuer.not_after < std::chrono::system_clock::now();
  if (!expired) return;
  fmt::print(
      stderr,
      "keystay: note: the issuer {} on the token expired on {}; if the CA has a new one, import it with "
      "the reply\n",
      subject(issuer), x509::describe_time(issuer.not_after));
}

// Why the chain goes no further than its last certificate, which is no root.
std::string end_of(const keys::Chain& chain, const std::vector<Certificate>& unrelated,
                   const keys::Pkix& pkix) {
  const Certificate& last = chain.back();
  const std::string issuer = "\"" + x509::format_name(last.issuer) + "\"";
  const auto has_issued_last = [&](const Certificate& certificate) {
    return keys::same_name(certificate.subject, last.issuer) && pkix.issued_by(last, certificate);
  };
  if (std::any_of(chain.begin(), chain.end() - 1, has_issued_last))
    return "no root is at hand: its CAs have certified each other, and none of them is self-signed";
  if (chain.size() == keys::kLongestChain)
    return fmt::format("{} certificates are the most that Keystay follows", keys::kLongestChain);
  const auto has_name = [&](const Certificate& certificate) {
    return keys::same_name(certificate.subject, last.issuer);
  };
  if (std::ranges::any_of(unrelated, has_name))
    return "the certificate for its issuer " + issuer + " in the reply has another key than it was signed by";
  return "its issuer " + issuer + " is neither in the reply nor on the token";
}

}  // namespace

std::optional<ReplyChain> chain_for(AliasStore& store, const keys::Entry& entry,
                                    const CertificateReply& reply) {
  const auto ordered = x509::order_chain(reply.certificates, entry.key.public_key(), store.pkix());
  if (ordered.chain.empty()) return std::nullopt;
  // The token may have a better way to a root than the reply, and the reply than the token.
  ReplyChain result{.stored = {},
                    .whole = store.keys().chain(ordered.chain.front(), reply.certificates),
                    .unrelated = reply.certificates};
  for (const Certificate& certificate : result.whole) {
    if (contains(reply.certificates, certificate)) {
      require_valid_today(certificate, reply);
      result.stored.push_back(certificate);
    } else {
      report_expired(certificate);
    }
  }
  std::erase_if(result.unrelated,
                [&](const Certificate& certificate) { return contains(result.whole, certificate); });
  return result;
}

void require_valid_today(const Certificate& certificate, const CertificateReply& reply) {
  if (reply.allow_expired) return;
  const auto now = std::chrono::system_clock::now();
  const std::string name = "certificate " + subject(certificate) + " in the chain of " + reply.source;
  if (certificate.not_after < now) {
    throw Failure(name + " expired on " + x509::describe_time(certificate.not_after) +
                  "; ask the CA for a new one, or import it all the same with -allowexpired");
  }
  if (certificate.not_before > now) {
    throw Failure(name + " is not valid before " + x509::describe_time(certificate.not_before) +
                  "; check the clock, or import it all the same with -allowexpired");
  }
}

std::string why_none_fits(const std::vector<Certificate>& certificates) {
  const bool any_key = std::ranges::any_of(
      certificates, [](const Certificate& certificate) { return certificate.public_key.has_value(); });
  return any_key ? "other public keys are certified for " + subjects(certificates)
                 : std::string(certificates.size() == 1 ? "it has " : "they have ") + keys::kForeignKey +
                       ", " + "certified for " + subjects(certificates);
}

void tell(const ReplyChain& reply, const keys::Pkix& pkix) {
  const keys::Chain& chain = reply.whole;
  const std::vector<Certificate>& unrelated = reply.unrelated;
  if (!unrelated.empty()) {
    fmt::print(stderr, "keystay: note: {} {} not part of the chain and {} not imported\n",
               subjects(unrelated), unrelated.size() == 1 ? "is" : "are",
               unrelated.size() == 1 ? "was" : "were");
  }
  // Clients refuse such a chain (RFC 5280, section 6.1.4 (k)), and it is the CA's to give another one.
  for (auto issuer = chain.begin() + 1; issuer != chain.end(); ++issuer) {
    if (issuer->is_ca) continue;
    fmt::print(stderr,
               "keystay: note: the issuer {} in the chain is no CA (basicConstraints), so that clients will "
               "refuse the chain; ask the CA for the right certificate\n",
               subject(*issuer));
  }
  if (keys::is_self_signed(chain.back(), pkix)) return;
  fmt::print(stderr, "keystay: note: the chain ends with {}; {}\n", subject(chain.back()),
             end_of(chain, unrelated, pkix));
}

}  // namespace keystay::tools
