#include "native/x509/pem.h"

#include <openssl/pem.h>

#include "native/x509/error.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

std::string to_pem(const char* label, pkcs11::ByteView der) {
  const InputOutput memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio(memory.get(), label, "", der.data(), static_cast<long>(der.size())) <= 0) {
    throw openssl_error(std::string("cannot write a PEM block \"") + label + "\"");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace keystay::x509
