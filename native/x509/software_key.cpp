#include "native/x509/software_key.h"

#include <openssl/pem.h>

#include "native/x509/error.h"

namespace keystay::x509 {

EvpPkey generate_p256_key() {
  EvpPkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) throw openssl_error("cannot make an EC key");
  return key;
}

pkcs11::WipedText private_key_pem(const EVP_PKEY* key) {
  const InputOutput memory(BIO_new(BIO_s_secmem()));  // overwritten when it is freed
  char* text = nullptr;
  if (!memory || PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    throw openssl_error("cannot encode the private key");
  const long size = BIO_get_mem_data(memory.get(), &text);
  return pkcs11::WipedText(std::string_view(text, static_cast<std::size_t>(size)));
}

}  // namespace keystay::x509
