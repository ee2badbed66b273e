// Passwords of key files as libcrypto takes them, and the ciphers of old ones.
#pragma once

#include <array>
#include <string>

#include "native/pkcs11/pin.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// A password ended by a zero byte. Wiped.
class PasswordText final {
 public:
  // Throws Error for one of more than 511 bytes.
  explicit PasswordText(const pkcs11::Pin& password);
  PasswordText(const PasswordText&) = delete;
  PasswordText& operator=(const PasswordText&) = delete;
  ~PasswordText();

  [[nodiscard]] const char* text() const noexcept { return text_.data(); }
  [[nodiscard]] int size() const noexcept { return size_; }

 private:
  std::array<char, 512> text_{};
  int size_;
};

// Ciphers old and new: the providers `default` and `legacy` in a context of their own, so that the rest of
// the process goes on without the old ones. Throws Error.
class FileCiphers final {
 public:
  FileCiphers();
  FileCiphers(const FileCiphers&) = delete;
  FileCiphers& operator=(const FileCiphers&) = delete;
  ~FileCiphers();

  [[nodiscard]] OSSL_LIB_CTX* context() const noexcept { return context_.get(); }

  // Throws Error if libcrypto's last error is a cipher or digest that it does not have: names what to
  // install, or how to convert the file.
  void require_known() const;

 private:
  struct Unload {
    void operator()(OSSL_PROVIDER* provider) const noexcept;
  };
  struct FreeContext {
    void operator()(OSSL_LIB_CTX* context) const noexcept;
  };
  std::unique_ptr<OSSL_LIB_CTX, FreeContext> context_;
  std::unique_ptr<OSSL_PROVIDER, Unload> default_;
  std::unique_ptr<OSSL_PROVIDER, Unload> legacy_;  // null: it is not installed
};

}  // namespace keystay::x509
