#include "native/x509/pem_reference.h"

#include <algorithm>
#include <memory>

#include <openssl/asn1t.h>
#include <openssl/crypto.h>

#include "native/pkcs11/error.h"
#include "native/x509/der.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/pem.h"
#include "native/x509/pem_block.h"
#include "native/x509/public_key.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

struct ReferenceSyntax {
  ASN1_VISIBLESTRING* desc;
  ASN1_UTF8STRING* uri;
};

// libcrypto's template macros are C.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wpedantic"
// clang-format off
ASN1_SEQUENCE(ReferenceSyntax) = {
  ASN1_SIMPLE(ReferenceSyntax, desc, ASN1_VISIBLESTRING),
  ASN1_SIMPLE(ReferenceSyntax, uri, ASN1_UTF8STRING),
} static_ASN1_SEQUENCE_END(ReferenceSyntax)
// clang-format on
#pragma GCC diagnostic pop

        struct FreeReference {
  void operator()(ReferenceSyntax* reference) const noexcept {
    // The URI may have a pin-value, and libcrypto does not overwrite what it frees.
    if (reference->uri)
      OPENSSL_cleanse(reference->uri->data, static_cast<std::size_t>(reference->uri->length));
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(reference), ASN1_ITEM_rptr(ReferenceSyntax));
  }
};
using Reference = std::unique_ptr<ReferenceSyntax, FreeReference>;

constexpr std::string_view kDescription = "PKCS#11 Provider URI v1.0";

std::string_view text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

int set_text(ASN1_STRING* string, std::string_view value) {
  return ASN1_STRING_set(string, value.data(), static_cast<int>(value.size()));
}

[[noreturn]] void refuse_spki() {
  throw Error(
      "the attribute keystay-spki of the key reference is damaged; write the file again with -exportref");
}

}  // namespace

Bytes encode_reference(const pkcs11::Uri& uri) {
  const Reference reference(
      reinterpret_cast<ReferenceSyntax*>(ASN1_item_new(ASN1_ITEM_rptr(ReferenceSyntax))));
  if (!reference || set_text(reference->desc, kDescription) != 1 ||
      set_text(reference->uri, pkcs11::format_uri(uri)) != 1) {
    throw openssl_error("cannot encode the key reference");
  }
  return to_der(
      [&](unsigned char** out) {
        return ASN1_item_i2d(reinterpret_cast<ASN1_VALUE*>(reference.get()), out,
                             ASN1_ITEM_rptr(ReferenceSyntax));
      },
      "cannot encode the key reference");
}

std::string encode_pem_reference(const pkcs11::Uri& uri) {
  return to_pem(kPemReferenceLabel, encode_reference(uri));
}

pkcs11::Uri decode_reference(ByteView der) {
  const ErrorsSetAside others;
  const unsigned char* in = der.data();
  const Reference reference(reinterpret_cast<ReferenceSyntax*>(
      ASN1_item_d2i(nullptr, &in, static_cast<long>(der.size()), ASN1_ITEM_rptr(ReferenceSyntax))));
  if (!reference || in != der.data() + der.size())
    throw openssl_error("this is no PKCS#11 key reference, or a damaged one that -exportref can write again");
  if (text(reference->desc) != kDescription) {
    throw Error("this key reference is of a version that Keystay does not know: expected \"" +
                std::string(kDescription) + "\"");
  }
  try {
    return pkcs11::parse_uri(text(reference->uri));
  } catch (const pkcs11::Error& error) {
    throw Error(std::string("the key reference: ") + error.what());
  }
}

pkcs11::Uri decode_pem_reference(std::string_view pem) {
  PemReader reader(pem);
  while (const auto block = reader.next()) {
    if (block->label() == kPemReferenceLabel) return decode_reference(block->der());
  }
  throw Error(std::string("there is no PEM block \"") + kPemReferenceLabel + "\" in it");
}

std::string encode_spki_attribute(const pkcs11::PublicKey& key) {
  return encode_spki_attribute(ByteView(to_spki(key)));
}

std::string encode_spki_attribute(ByteView der) {
  std::string base64(4 * ((der.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), der.data(),
                                   static_cast<int>(der.size()));
  base64.resize(static_cast<std::size_t>(size));
  std::ranges::replace(base64, '+', '-');
  std::ranges::replace(base64, '/', '_');
  base64.erase(base64.find_last_not_of('=') + 1);
  return base64;
}

pkcs11::PublicKey decode_spki_attribute(std::string_view value) {
  return from_spki(spki_in_attribute(value));
}

Bytes spki_in_attribute(std::string_view value) {
  std::string base64(value);
  std::ranges::replace(base64, '-', '+');
  std::ranges::replace(base64, '_', '/');
  const std::size_t padding = (4 - base64.size() % 4) % 4;
  if (padding == 3) refuse_spki();
  base64.append(padding, '=');
  Bytes der(base64.size() / 4 * 3);
  const int size = EVP_DecodeBlock(der.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                   static_cast<int>(base64.size()));
  if (size < 0) refuse_spki();
  der.resize(static_cast<std::size_t>(size) - padding);
  return der;
}

}  // namespace keystay::x509
