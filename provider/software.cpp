#include "provider/software.h"

#include <memory>

#include <openssl/provider.h>

namespace keystay::provider {
namespace {

using LibraryContext = x509::Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;

LibraryContext new_library_context(const Core& core) {
  LibraryContext context(OSSL_LIB_CTX_new_from_dispatch(core.handle(), core.functions()));
  if (!context) throw SoftwareFailure("OSSL_LIB_CTX_new_from_dispatch");
  // The context keeps the provider, and unloads it when it is freed.
  if (!OSSL_PROVIDER_load(context.get(), "default")) throw SoftwareFailure("OSSL_PROVIDER_load(\"default\")");
  return context;
}

}  // namespace

Software::~Software() {
  for (auto& digest : digests_) EVP_MD_free(digest.load(std::memory_order_acquire));
  OSSL_LIB_CTX_free(libctx_.load(std::memory_order_acquire));
}

// No lock: a process may fork while another thread is in here, and its child must not wait for that thread.
OSSL_LIB_CTX* Software::libctx() {
  OSSL_LIB_CTX* known = libctx_.load(std::memory_order_acquire);
  if (known) [[likely]]
    return known;
  LibraryContext fresh = new_library_context(core_);
  if (libctx_.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) return fresh.release();
  return known;
}

const EVP_MD* Software::fetch(const Digest& digest) {
  auto& place = digests_.at(static_cast<std::size_t>(&digest - digests().data()));
  EVP_MD* known = place.load(std::memory_order_acquire);
  if (known) [[likely]]
    return known;
  x509::EvpMd fresh(EVP_MD_fetch(libctx(), digest.name.data(), nullptr));
  if (!fresh) throw SoftwareFailure("EVP_MD_fetch");
  if (place.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) return fresh.release();
  return known;
}

x509::EvpPkeyContext Software::context_of(EVP_PKEY* key) {
  x509::EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(libctx(), key, nullptr));
  if (!context) throw SoftwareFailure("EVP_PKEY_CTX_new_from_pkey");
  return context;
}

x509::EvpPkeyContext Software::context_for(const char* algorithm) {
  x509::EvpPkeyContext context(EVP_PKEY_CTX_new_from_name(libctx(), algorithm, nullptr));
  if (!context) throw SoftwareFailure("EVP_PKEY_CTX_new_from_name");
  return context;
}

void Software::leak() noexcept {
  for (auto& digest : digests_) digest.store(nullptr, std::memory_order_release);
  libctx_.store(nullptr, std::memory_order_release);
}

}  // namespace keystay::provider
