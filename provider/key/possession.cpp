#include "provider/key/possession.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <openssl/rand.h>

#include "native/pkcs11/error.h"
#include "native/x509/error_mark.h"
#include "provider/exchange/key_exchange.h"
#include "provider/signature/signature_ecdsa.h"
#include "provider/signature/signature_rsa.h"

namespace keystay::provider {
namespace {

using Operation = Signature::Operation;
using pkcs11::ByteView;
using Challenge = std::array<std::uint8_t, 32>;

constexpr char kDigest[] = "SHA2-256";

// A key may be bound to another digest by its certificate, as RSA-PSS keys are.
bool signs_and_verifies(Signature& signature, Key& key, ByteView challenge) {
  signature.begin_message(&key, Operation::sign, kDigest);
  signature.update(challenge);
  pkcs11::Bytes bytes(signature.signature_size());
  const std::optional<std::size_t> size = signature.sign_message(bytes);
  if (!size) return false;
  signature.begin_message(&key, Operation::verify, kDigest);
  signature.update(challenge);
  return signature.verify_message(ByteView(bytes).first(*size));
}

bool signs_and_verifies_eddsa(const Key& key, ByteView challenge) {
  pkcs11::Bytes bytes(key.on_token()->signature_size());
  const std::optional<std::size_t> size = key.perform(pkcs11::Sign{pkcs11::EdDsa{}}, challenge, bytes);
  const x509::EvpMdContext verification(EVP_MD_CTX_new());
  return size && verification &&
         EVP_DigestVerifyInit_ex(verification.get(), nullptr, nullptr, key.context().software().libctx(),
                                 nullptr, key.software(), nullptr) == 1 &&
         EVP_DigestVerify(verification.get(), bytes.data(), *size, challenge.data(), challenge.size()) == 1;
}

// A key that cannot sign agrees on a secret with a fresh key in software, and both sides must have the same.
bool agrees(Key& key) {
  const auto generator = key.context().software().context_of(key.software());
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_keygen_init(generator.get()) != 1 || EVP_PKEY_generate(generator.get(), &made) != 1)
    throw SoftwareFailure("EVP_PKEY_generate");
  const KeyPtr ephemeral(new Key(key.context(), key.type(), x509::EvpPkey(made), kKeyPair));
  const auto secret_of = [&](Key& own, const Key& peer) -> std::optional<pkcs11::Bytes> {
    KeyExchange exchange(key.context());
    exchange.begin(&own);
    if (!exchange.set_peer(peer)) return std::nullopt;
    pkcs11::Bytes secret(exchange.secret_size().value_or(0));  // compared, and not used otherwise
    if (!exchange.derive(secret)) return std::nullopt;
    return secret;
  };
  const auto ours = secret_of(key, *ephemeral);
  const auto theirs = secret_of(*ephemeral, key);
  return ours && theirs && *ours == *theirs;
}

bool possesses(Key& key) {
  Challenge challenge;
  if (RAND_bytes_ex(key.context().software().libctx(), challenge.data(), challenge.size(), 0) != 1)
    throw SoftwareFailure("RAND_bytes_ex");
  if (&key.type() == &kEc) {
    EcdsaSignature signature(key.context());
    return signs_and_verifies(signature, key, challenge);
  }
  if (&key.type() == &kX25519) return agrees(key);
  if (&key.type() == &kRsa) {
    RsaSignature signature(key.context());
    return signs_and_verifies(signature, key, challenge);
  }
  return signs_and_verifies_eddsa(key, challenge);
}

bool may_not_sign(const auto& error) { return error.code() == CKR_KEY_FUNCTION_NOT_PERMITTED; }

}  // namespace

void require_possession(Key& key, const keys::Entry& entry) {
  if (entry.public_half_source == keys::PublicHalfSource::token || &key.type() == &kRsaPss) return;
  try {
    const x509::ErrorMark the_reason_is_ours;
    if (possesses(key)) return;
  } catch (const pkcs11::Error& error) {
    if (may_not_sign(error)) return;
    throw;
  } catch (const Error& error) {
    if (may_not_sign(error)) return;
    throw;
  }
  const bool by_label = entry.public_half_source == keys::PublicHalfSource::label;
  throw Error(Reason::reference,
              std::string(by_label ? "the public key object with the label of alias \""
                                   : "the certificate with the CKA_ID of alias \"") +
                  entry.alias + "\" on " + entry.key.operations().name() + " is not that key's; " +
                  (by_label ? "give the key and its public key object a CKA_ID that both have"
                            : "delete it or give it another CKA_ID, and store the right one"));
}

}  // namespace keystay::provider
