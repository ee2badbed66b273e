// A library context of OpenSSL with the provider from the build tree in it, as an application would have it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "native/x509/openssl_types.h"
#include "tests/support/process.h"

namespace keystay::test {

enum class Order {
  keystay_last,
  keystay_first,  // as where `keystay` stands before `default` in openssl.cnf
};

using x509::EvpMdContext;
using x509::EvpPkey;
using x509::EvpPkeyContext;
using x509::Owned;
using x509::X509Certificate;

class LibraryContext final {
 public:
  explicit LibraryContext(Order order = Order::keystay_last);

  [[nodiscard]] OSSL_LIB_CTX* get() const noexcept { return context_.get(); }
  [[nodiscard]] OSSL_PROVIDER* keystay() const noexcept { return keystay_.get(); }

  // The first key that an OSSL_STORE of this URI gives; null, with the reason on the error queue, if there is
  // none.
  [[nodiscard]] EvpPkey load(const std::string& uri, int expect = OSSL_STORE_INFO_PKEY) const;
  [[nodiscard]] EvpPkey load_with_ui(const std::string& uri, UI_METHOD* ui, void* data,
                                     int expect = OSSL_STORE_INFO_PKEY) const;
  // As programs read `ssl_certificate_key`.
  [[nodiscard]] EvpPkey read_pem(std::string_view pem, pem_password_cb* callback = nullptr,
                                 void* argument = nullptr) const;

 private:
  Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free> context_;
  Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_;
  Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> keystay_;
};

// Where keystay.so is.
[[nodiscard]] std::string provider_path();

// What a program needs that loads keystay.so: nothing, unless it is a sanitized one.
[[nodiscard]] Environment program_environment();

// The entries on the error queue of this thread, one a line, the oldest first; the queue is empty afterwards.
[[nodiscard]] std::string take_errors();

// How many of these entries are the provider's: libcrypto adds one of its own since OpenSSL 3.5.
[[nodiscard]] std::ptrdiff_t keystay_entries(std::string_view errors);

}  // namespace keystay::test
