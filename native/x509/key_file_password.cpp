#include "native/x509/key_file_password.h"

#include <cstring>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"

namespace keystay::x509 {
namespace {

bool is_unsupported(unsigned long code) {
  const int reason = ERR_GET_REASON(code);
  return reason == ERR_R_UNSUPPORTED ||
         (ERR_GET_LIB(code) == ERR_LIB_EVP &&
          (reason == EVP_R_UNSUPPORTED_ALGORITHM || reason == EVP_R_UNKNOWN_PBE_ALGORITHM ||
           reason == EVP_R_UNKNOWN_CIPHER || reason == EVP_R_UNKNOWN_DIGEST));
}

}  // namespace

PasswordText::PasswordText(const pkcs11::Pin& password) : size_(static_cast<int>(password.size())) {
  if (password.size() >= text_.size()) throw Error("the password is longer than 511 bytes");
  if (password.size() > 0) std::memcpy(text_.data(), password.bytes().data(), password.size());
}

PasswordText::~PasswordText() { OPENSSL_cleanse(text_.data(), text_.size()); }

void FileCiphers::Unload::operator()(OSSL_PROVIDER* provider) const noexcept {
  OSSL_PROVIDER_unload(provider);
}

void FileCiphers::FreeContext::operator()(OSSL_LIB_CTX* context) const noexcept {
  OSSL_LIB_CTX_free(context);
}

FileCiphers::FileCiphers() : context_(OSSL_LIB_CTX_new()) {
  if (context_) default_.reset(OSSL_PROVIDER_load(context_.get(), "default"));
  if (!default_) throw openssl_error("cannot start libcrypto's provider default");
  const ErrorMark its_absence_is_no_error;
  legacy_.reset(OSSL_PROVIDER_load(context_.get(), "legacy"));
}

FileCiphers::~FileCiphers() = default;

void FileCiphers::require_known() const {
  if (!is_unsupported(ERR_peek_error()) && !is_unsupported(ERR_peek_last_error())) return;
  ERR_clear_error();
  if (legacy_) {
    throw Error(
        "it is encrypted or authenticated in a way that this OpenSSL does not know; write it anew where it "
        "was made, with AES and SHA-256");
  }
  throw Error(
      "it is encrypted by a cipher that OpenSSL has in its provider `legacy` alone (RC2, as old programs "
      "write "
      "it), and that is not installed; install it (Debian: openssl-provider-legacy), or convert the file "
      "where "
      "it is: openssl pkcs12 -legacy -nodes -in OLD.p12 -out key.pem && openssl pkcs12 -export -in key.pem "
      "-out NEW.p12, and destroy key.pem");
}

}  // namespace keystay::x509
