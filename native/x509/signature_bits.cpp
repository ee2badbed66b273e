#include "native/x509/signature_bits.h"

#include "native/x509/error.h"

namespace keystay::x509 {

BitString signature_bits(pkcs11::ByteView signature) {
  BitString bits(ASN1_BIT_STRING_new());
  if (!bits || ASN1_STRING_set(bits.get(), signature.data(), static_cast<int>(signature.size())) != 1) {
    throw openssl_error("cannot encode the signature");
  }
  // Whole bytes: without the flag libcrypto drops trailing zero bits.
  bits->flags = ASN1_STRING_FLAG_BITS_LEFT;
  return bits;
}

}  // namespace keystay::x509
