#include "provider/signature/digest.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <strings.h>

namespace keystay::provider {
namespace {

using namespace std::string_view_literals;
using pkcs11::Hash;

// SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING }. The arcs: 1.3.14.3.2.26 is SHA-1, 2.16.840.1.101.3.4.2.n
// the SHA-2 and SHA-3 functions, 1.3.36.3.2.1 RIPEMD-160, 1.2.840.113549.2.5 MD5. MD5-SHA1 (TLS 1.0 and 1.1)
// has none.
constexpr Digest kDigests[] = {
    {"SHA2-256", "SHA256", "SHA-256", 32,
     "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"sv, Hash::sha256},
    {"SHA2-384", "SHA384", "SHA-384", 48,
     "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"sv, Hash::sha384},
    {"SHA2-512", "SHA512", "SHA-512", 64,
     "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"sv, Hash::sha512},
    {"SHA2-224", "SHA224", "SHA-224", 28,
     "\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c"sv, Hash::sha224},
    {"SHA1", "SHA-1", "SSL3-SHA1", 20, "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"sv,
     Hash::sha1},
    {"SHA2-512/224",
     "SHA512-224",
     "SHA-512/224",
     28,
     "\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x05\x05\x00\x04\x1c"sv,
     {}},
    {"SHA2-512/256",
     "SHA512-256",
     "SHA-512/256",
     32,
     "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x06\x05\x00\x04\x20"sv,
     {}},
    {"SHA3-224",
     "SHA3-224",
     "SHA3-224",
     28,
     "\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x07\x05\x00\x04\x1c"sv,
     {}},
    {"SHA3-256",
     "SHA3-256",
     "SHA3-256",
     32,
     "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x08\x05\x00\x04\x20"sv,
     {}},
    {"SHA3-384",
     "SHA3-384",
     "SHA3-384",
     48,
     "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x09\x05\x00\x04\x30"sv,
     {}},
    {"SHA3-512",
     "SHA3-512",
     "SHA3-512",
     64,
     "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x0a\x05\x00\x04\x40"sv,
     {}},
    {"RIPEMD-160",
     "RIPEMD160",
     "RMD160",
     20,
     "\x30\x21\x30\x09\x06\x05\x2b\x24\x03\x02\x01\x05\x00\x04\x14"sv,
     {}},
    {"MD5",
     "SSL3-MD5",
     "MD5",
     16,
     "\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"sv,
     {}},
    {"MD5-SHA1", "MD5-SHA1", "MD5-SHA1", 36, ""sv, {}},
};

bool same(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

std::span<const Digest> digests() noexcept { return kDigests; }

const Digest* find_digest(std::string_view name) noexcept {
  for (const Digest& digest : kDigests) {
    if (same(name, digest.alias) || same(name, digest.name) || same(name, digest.hyphenated)) return &digest;
  }
  return nullptr;
}

}  // namespace keystay::provider
