// What a CA answers to a certificate request: certificates in any order, of which one is for the key. From
// them comes the chain that is stored with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct CertificateReply {
  std::string source;  // for messages: "standard input", a file
  std::vector<keys::Certificate> certificates;
  bool allow_expired = false;
};

struct ReplyChain {
  keys::Chain stored;                        // those of the reply, the leaf first
  keys::Chain whole;                         // with what the token has already
  std::vector<keys::Certificate> unrelated;  // those of the reply that are issuers of nothing in it
};

// The best chain for this key; nothing if no certificate is for it. Reads the token, and changes nothing;
// tells on standard error what of the token in it has expired. Throws Failure for a certificate of the reply
// that is not valid today.
[[nodiscard]] std::optional<ReplyChain> chain_for(AliasStore& store, const keys::Entry& entry,
                                                  const CertificateReply& reply);

// Throws Failure, with the source of the reply, for a certificate that is not valid today.
void require_valid_today(const keys::Certificate& certificate, const CertificateReply& reply);

// Nothing in the reply is for the key: what it is for instead.
[[nodiscard]] std::string why_none_fits(const std::vector<keys::Certificate>& certificates);

// On standard error: what of the reply is not stored, and what clients will find wrong with the chain.
void tell(const ReplyChain& chain, const keys::Pkix& pkix);

}  // namespace keystay::tools
