// What a member of a group answered when it was asked what it has, and what is not the same on all of them.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "native/ha/key_sources.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/public_key.h"
#include "native/pkcs11/token_info.h"

namespace keystay::tools {

// What a member has under one name. Two members agree on an alias if they have the same key and the same
// chain.
struct HeldAlias {
  std::string id;  // CKA_ID in hex
  pkcs11::PublicKey key;
  std::vector<pkcs11::Bytes> chain;  // DER, the leaf first; empty: no certificate
};

struct MemberReport {
  std::string name;  // of [token.NAME]
  std::string zone;
  std::string error;  // why it cannot be used; empty: it answered, and the rest holds
  std::chrono::milliseconds took{0};
  pkcs11::TokenInfo token;
  std::map<std::string, HeldAlias, std::less<>> aliases;  // by name
};

// Connects, logs in and lists what is there. That this fails is what is reported then.
[[nodiscard]] MemberReport ask_member(const ha::MemberToken& member, const keys::Pkix& pkix);
// All members, one after the other.
[[nodiscard]] std::vector<MemberReport> ask_members(const ha::GroupDescription& group,
                                                    const keys::Pkix& pkix);

// "hsm-c: C_Login: …; hsm-d: …": of those that cannot be used.
[[nodiscard]] std::string failures(const std::vector<MemberReport>& reports);

enum class DifferenceKind {
  missing,      // the alias
  key,          // another one under the same name
  id,           // the same key with another CKA_ID
  certificate,  // another one, or none, or one where the other member has none
  issuers,      // the same certificate, with more, fewer or other ones of issuers
};
[[nodiscard]] const char* name_of(DifferenceKind kind) noexcept;  // "missing"

// What `member` has otherwise than `other`, the first one that has the alias.
struct Difference {
  DifferenceKind kind;
  std::string alias;
  std::string member;
  std::string other;
  std::string sentence;  // for people: `hsm-b lacks "httpd", which hsm-a has`
};

// By what a token shows of itself. One without a serial number is like no other.
[[nodiscard]] bool is_same_token(const pkcs11::TokenInfo& one, const pkcs11::TokenInfo& other);
// "hsm-b is the same token as hsm-a, …": of each that was reached under two names.
[[nodiscard]] std::vector<std::string> members_twice(const std::vector<MemberReport>& reports);

// Between the members that answered, in the order of the aliases and then of the members.
[[nodiscard]] std::vector<Difference> differences(const std::vector<MemberReport>& reports);

}  // namespace keystay::tools
