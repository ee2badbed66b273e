// A file of PKCS #12 (RFC 7292): our certificate, its key and its issuers, as gateways hand them out.
#pragma once

#include <filesystem>
#include <memory>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "native/pkcs11/pin.h"

namespace keystay::relay {

struct FreeIdentity {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(STACK_OF(X509) * certificates) const noexcept { sk_X509_pop_free(certificates, X509_free); }
};

struct Pkcs12Identity {
  std::unique_ptr<EVP_PKEY, FreeIdentity> key;
  std::unique_ptr<X509, FreeIdentity> certificate;        // of this key
  std::unique_ptr<STACK_OF(X509), FreeIdentity> issuers;  // the next one first, without a self-signed one
};

// The file has one private key, and a certificate for it; its other certificates may be issuers. Throws
// std::runtime_error that names the key of keystay.toml and the file, and says what to do.
[[nodiscard]] Pkcs12Identity read_pkcs12(const std::filesystem::path& file, const pkcs11::Pin& password);

}  // namespace keystay::relay
