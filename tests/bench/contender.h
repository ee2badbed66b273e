// The ways to sign that are compared with one another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/bench_token.h"
#include "tests/bench/signer.h"

namespace keystay::bench {

struct Contender {
  std::string_view name;
  std::function<std::unique_ptr<Signer>(const Algorithm&)> signer;  // one per thread
};

// Names, which the table looks for.
inline constexpr std::string_view kRawObject = "raw-object";
inline constexpr std::string_view kRawCopy = "raw-copy";
inline constexpr std::string_view kNative = "native";
inline constexpr std::string_view kHashRawObject = "hash+raw-object";
inline constexpr std::string_view kHashRawCopy = "hash+raw-copy";
inline constexpr std::string_view kProvider = "provider";
inline constexpr std::string_view kProviderTls = "provider-tls";  // with a new context for each signature
inline constexpr std::string_view kEngine = "libp11-engine";
inline constexpr std::string_view kPkcs11Provider =
    "pkcs11-prov";  // pkcs11-provider, as kProvider and kProviderTls
inline constexpr std::string_view kPkcs11ProviderTls = "pkcs11-tls";
// The key of a group of one, as kNative, kProvider and kProviderTls.
inline constexpr std::string_view kNativeGroup = "native-group";
inline constexpr std::string_view kProviderGroup = "provider-group";
inline constexpr std::string_view kProviderTlsGroup = "prov-tls-group";
// No signature at all: what libcrypto itself takes to begin one in a new context, with a software key.
inline constexpr std::string_view kSoftwareInit = "software-init";

// All that work here; says on standard error which does not, and why: the engine and pkcs11-provider
// are not installed everywhere. The token must outlive them.
[[nodiscard]] std::vector<Contender> contenders(const BenchToken& token);

// Keystay's own ways through a lone token, and each of them through a group of one.
struct GroupPair {
  Contender lone;
  Contender group;
};
[[nodiscard]] std::vector<GroupPair> group_pairs(const BenchToken& token);

// contenders(), and those of the groups.
[[nodiscard]] std::vector<Contender> all_contenders(const BenchToken& token);

// Throws std::invalid_argument that lists the names.
[[nodiscard]] const Contender& contender(const std::vector<Contender>& all, std::string_view name);

}  // namespace keystay::bench
