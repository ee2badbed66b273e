#include "native/x509/trial_signature.h"

#include <algorithm>
#include <array>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "native/x509/ecdsa_signature.h"
#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/openssl_types.h"
#include "native/x509/public_key.h"
#include "native/x509/rsa_pss_key.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
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
Bytes random_digest(const keys::PrivateKey& key) {
  Bytes digest(key.type() == CKK_EC ? std::min(kDigestSize, key.signature_size() / 2) : kDigestSize);
  if (RAND_bytes(digest.data(), static_cast<int>(digest.size())) != 1)
    throw openssl_error("cannot make random data to sign");
  return digest;
}

Bytes data_for(const Scheme& scheme, const Bytes& digest) {
  Bytes data = digest;
  if (scheme.type == CKM_RSA_PKCS) data.insert(data.begin(), kSha256Info.begin(), kSha256Info.end());
  return data;
}

bool verifies_message(EVP_PKEY* key, ByteView message, ByteView signature) {
  const EvpMdContext context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

bool set_padding(EVP_PKEY_CTX* context, const Scheme& scheme) {
  if (scheme.type == CKM_ECDSA) return true;
  const bool pss = scheme.type == CKM_RSA_PKCS_PSS;
  return EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
         (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool verifies_digest(EVP_PKEY* key, const Scheme& scheme, ByteView digest, ByteView signature) {
  std::array<std::uint8_t, kLongestEcdsaDer> der;
  const bool is_ecdsa = scheme.type == CKM_ECDSA;
  if (is_ecdsa && (signature.empty() || signature.size() % 2 != 0)) return false;
  if (is_ecdsa) signature = ByteView(der).first(encode_ecdsa(signature, der));
  const EvpPkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  return context && EVP_PKEY_verify_init(context.get()) == 1 && set_padding(context.get(), scheme) &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
             1;
}

// "No" is an answer, whose reasons do not stay on libcrypto's error queue.
bool verifies(EVP_PKEY* key, const Scheme& scheme, ByteView digest, ByteView signature) {
  const ErrorMark mark;
  return scheme.type == CKM_EDDSA ? verifies_message(key, digest, signature)
                                  : verifies_digest(key, scheme, digest, signature);
}

steady_clock::duration sign_and_verify(const keys::PrivateKey& key, const Scheme& scheme,
                                       EVP_PKEY* public_key) {
  const Bytes digest = random_digest(key);
  const Bytes data = data_for(scheme, digest);
  Bytes signature(key.signature_size());
  const auto begin = steady_clock::now();
  {
    const ErrorMark mark;  // a module that uses libcrypto too leaves its own errors on the queue
    signature.resize(key.sign(scheme.mechanism, data, signature));
  }
  const auto took = steady_clock::now() - begin;
  if (!verifies(public_key, scheme, digest, signature))
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
  const EvpPkey public_key = to_evp_pkey(entry.key.public_key(), nullptr);
  const Scheme& scheme = scheme_of(entry);
  sign_and_verify(entry.key, scheme, public_key.get());  // finds the key; the next one is like all others
  return {scheme.name, sign_and_verify(entry.key, scheme, public_key.get())};
}

}  // namespace keystay::x509
