#include "tests/provider/signing.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

struct DigestSign {
  EvpMdContext context{EVP_MD_CTX_new()};

  bool begin(const LibraryContext& library, EVP_PKEY* key, const char* digest, const Configure& configure) {
    EVP_PKEY_CTX* parameters = nullptr;
    return EVP_DigestSignInit_ex(context.get(), &parameters, digest, library.get(), nullptr, key, nullptr) ==
               1 &&
           (!configure || configure(parameters) > 0);
  }
};

}  // namespace

std::optional<Bytes> sign(const LibraryContext& library, EVP_PKEY* key, const char* digest, ByteView message,
                          const Configure& configure) {
  DigestSign operation;
  std::size_t size = 0;
  if (!operation.begin(library, key, digest, configure) ||
      EVP_DigestSign(operation.context.get(), nullptr, &size, message.data(), message.size()) != 1) {
    return std::nullopt;
  }
  Bytes signature(size);
  if (EVP_DigestSign(operation.context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    return std::nullopt;
  }
  signature.resize(size);
  return signature;
}

std::optional<Bytes> sign_streaming(const LibraryContext& library, EVP_PKEY* key, const char* digest,
                                    ByteView message, const Configure& configure) {
  DigestSign operation;
  if (!operation.begin(library, key, digest, configure)) return std::nullopt;
  for (const std::uint8_t byte : message) {
    if (EVP_DigestSignUpdate(operation.context.get(), &byte, 1) != 1) return std::nullopt;
  }
  std::size_t size = 0;
  if (EVP_DigestSignFinal(operation.context.get(), nullptr, &size) != 1) return std::nullopt;
  Bytes signature(size);
  if (EVP_DigestSignFinal(operation.context.get(), signature.data(), &size) != 1) return std::nullopt;
  signature.resize(size);
  return signature;
}

std::optional<Bytes> sign_digest(const LibraryContext& library, EVP_PKEY* key, ByteView digest,
                                 const Configure& configure) {
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(library.get(), key, nullptr));
  std::size_t size = 0;
  if (EVP_PKEY_sign_init(context.get()) != 1 || (configure && configure(context.get()) <= 0) ||
      EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) != 1) {
    return std::nullopt;
  }
  Bytes signature(size);
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1)
    return std::nullopt;
  signature.resize(size);
  return signature;
}

bool verifies(EVP_PKEY* key, const char* digest, ByteView message, ByteView signature,
              const Configure& configure) {
  const EvpMdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  const bool good =
      EVP_DigestVerifyInit_ex(context.get(), &parameters, digest, nullptr, nullptr, key, nullptr) == 1 &&
      (!configure || configure(parameters) > 0) &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
          1;
  if (!good) ERR_clear_error();
  return good;
}

Configure pss(int salt_length, const char* mgf1) {
  return [=](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_length) > 0 &&
                   (!mgf1 || EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, mgf1, nullptr) > 0)
               ? 1
               : 0;
  };
}

}  // namespace keystay::test
