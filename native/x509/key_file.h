// The files in which private keys that were made in software arrive: PKCS #12 (RFC 7292), PEM with a key and
// its certificates (RFC 7468), and PKCS #8 in DER (RFC 5958), encrypted or not.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/pkcs11/pin.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

enum class KeyFileForm {
  pkcs12,
  pem,
  pkcs8,  // or the DER of one algorithm, as older versions of OpenSSL write it
};

struct NamedPrivateKey {
  std::string name;  // friendlyName; empty where the file has none
  EvpPkey key;
};
struct NamedCertificate {
  std::string name;
  keys::Certificate certificate;
};

struct KeyFile {
  std::vector<NamedPrivateKey> keys;
  std::vector<keys::Certificate> certificates;  // all of them, each once: leaves, issuers and trusted ones
  std::vector<NamedCertificate> trusted;        // of PKCS #12, those that the JDK marks as trust anchors
  std::size_t others = 0;                       // secret keys, CRLs and what else no Keystay alias can be
};

// Asked for only if something in the file is encrypted. May throw.
struct KeyFilePasswords {
  std::function<pkcs11::Pin()> file;  // of the file, and of the keys in it that have no other
  std::function<pkcs11::Pin()> key;   // of a key that has one of its own; empty: that of the file
};

// Nothing if the content is none of these.
[[nodiscard]] std::optional<KeyFileForm> key_file_form(std::string_view content);

// Throws Error for a password that does not fit, a cipher that this OpenSSL has not, and damage; what
// `passwords` throws passes. No more than the key material that `content` holds is copied, and what libcrypto
// copies of it, it wipes.
[[nodiscard]] KeyFile read_key_file(std::string_view content, KeyFileForm form,
                                    const KeyFilePasswords& passwords);

}  // namespace keystay::x509
