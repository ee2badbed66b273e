#include "native/x509/trial_signature.h"

#include <algorithm>
#include <array>

#include <openssl/rand.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/raw_signature.h"
#include "native/x509/rsa_pss_key.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using std::chrono::steady_clock;

constexpr std::size_t kDigestSize = 32;  // SHA-256
// DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1), before the digest.
constexpr std::array<std::uint8_t, 19> kSha256Info{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

struct Scheme {
  std::string_view name;
  CK_MECHANISM_TYPE type;
  pkcs11::SignMechanism mechanism;
};

constexpr Scheme kRsaPkcs{"CKM_RSA_PKCS", CKM_RSA_PKCS, pkcs11::RsaPkcs{}};
constexpr Scheme kRsaPss{"CKM_RSA_PKCS_PSS", CKM_RSA_PKCS_PSS,
                         pkcs11::RsaPss{pkcs11::Hash::sha256, pkcs11::Hash::sha256, kDigestSize}};
constexpr Scheme kEcdsa{"CKM_ECDSA", CKM_ECDSA, pkcs11::Ecdsa{}};
constexpr Scheme kEdDsa{"CKM_EDDSA", CKM_EDDSA, pkcs11::EdDsa{}};

bool allows(const keys::Entry& entry, const Scheme& scheme) {
  const auto& allowed = entry.allowed_mechanisms;
  return allowed.empty() || std::ranges::find(allowed, scheme.type) != allowed.end();
}

const Scheme& scheme_of_rsa(const keys::Entry& entry) {
  const bool pss_only = !allows(entry, kRsaPkcs) || rsa_pss_spki_of(entry).has_value();
  if (pss_only) return kRsaPss;
  pkcs11::KeyOperations& operations = entry.key.operations();
  const bool offers_pss_alone = !operations.supports(pkcs11::Sign{kRsaPkcs.mechanism}) &&
                                operations.supports(pkcs11::Sign{kRsaPss.mechanism});
  return offers_pss_alone ? kRsaPss : kRsaPkcs;
}

const Scheme& scheme_of(const keys::Entry& entry) {
  switch (entry.key.type()) {
    case CKK_RSA:
      return scheme_of_rsa(entry);
    case CKK_EC_EDWARDS:
      return kEdDsa;
    default:
      return kEcdsa;
  }
}

// What takes the place of a digest. Of an ECDSA key, no longer than the order of its curve: some tokens
// refuse longer input (SEC 1, section 4.1.3, cuts it).
Bytes random_data(const keys::PrivateKey& key, const Scheme& scheme) {
  Bytes data(key.type() == CKK_EC ? std::min(kDigestSize, key.signature_size() / 2) : kDigestSize);
  if (RAND_bytes(data.data(), static_cast<int>(data.size())) != 1)
    throw openssl_error("cannot make random data to sign");
  if (scheme.type == CKM_RSA_PKCS) data.insert(data.begin(), kSha256Info.begin(), kSha256Info.end());
  return data;
}

steady_clock::duration sign_and_verify(const keys::PrivateKey& key, const Scheme& scheme) {
  const Bytes data = random_data(key, scheme);
  Bytes signature(key.signature_size());
  const auto begin = steady_clock::now();
  {
    const ErrorMark mark;  // a module that uses libcrypto too leaves its own errors on the queue
    signature.resize(key.sign(scheme.mechanism, data, signature));
  }
  const auto took = steady_clock::now() - begin;
  if (!verifies(key.public_key(), scheme.mechanism, data, signature, nullptr))
    throw Error(key.name() + " made a signature that its public key does not verify (" +
                std::string(scheme.name) + "); do not use it until you know why");
  return took;
}

}  // namespace

bool is_signing_key(const keys::Entry& entry) {
  if (entry.key.signature_size() == 0) return false;
  if (entry.key.type() != CKK_RSA) return allows(entry, scheme_of(entry));
  return allows(entry, kRsaPkcs) || allows(entry, kRsaPss);
}

TrialSignature make_trial_signature(const keys::Entry& entry) {
  const ErrorsSetAside others;
  const Scheme& scheme = scheme_of(entry);
  sign_and_verify(entry.key, scheme);  // finds the key; the next one is like all others
  return {scheme.name, sign_and_verify(entry.key, scheme)};
}

}  // namespace keystay::x509
