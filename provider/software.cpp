#include "provider/software.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "native/x509/error_mark.h"
#include "provider/process_exit.h"

namespace keystay::provider {

Software::Environment::Environment(const Core& core)
    : libctx(OSSL_LIB_CTX_new_from_dispatch(core.handle(), core.functions())) {
  if (!libctx) throw SoftwareFailure("OSSL_LIB_CTX_new_from_dispatch");
  default_provider.reset(OSSL_PROVIDER_load(libctx.get(), "default"));
  if (!default_provider) throw SoftwareFailure("OSSL_PROVIDER_load");
}

Software::Environment::~Environment() {
  for (auto& digest : digests) EVP_MD_free(digest.load(std::memory_order_acquire));
}

Software::~Software() { delete environment_.load(std::memory_order_acquire); }

// No lock: a process may fork while another thread is in here, and its child must not wait for that thread.
Software::Environment& Software::environment() {
  Environment* known = environment_.load(std::memory_order_acquire);
  if (known) [[likely]]
    return *known;
  auto fresh = std::make_unique<Environment>(core_);
  if (environment_.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *known;
}

const Digest* Software::digest_named(std::string_view name) {
  if (const Digest* digest = find_digest(name)) [[likely]]
    return digest;
  const x509::ErrorMark an_unknown_name_is_no_error;
  const x509::EvpMd digest(EVP_MD_fetch(libctx(), std::string(name).c_str(), nullptr));
  const auto known = digests();
  const auto found = std::ranges::find_if(
      known, [&](const Digest& each) { return digest && EVP_MD_is_a(digest.get(), each.name.data()) == 1; });
  return found == known.end() ? nullptr : &*found;
}

const EVP_MD* Software::fetch(const Digest& digest) {
  Environment& here = environment();
  auto& place = here.digests.at(static_cast<std::size_t>(&digest - digests().data()));
  EVP_MD* known = place.load(std::memory_order_acquire);
  if (known) [[likely]]
    return known;
  x509::EvpMd fresh(EVP_MD_fetch(here.libctx.get(), digest.name.data(), nullptr));
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

bool Software::set_params(EVP_PKEY_CTX* operation, const OSSL_PARAM params[]) {
  constexpr std::string_view kQueries[] = {
      OSSL_SIGNATURE_PARAM_PROPERTIES, OSSL_SIGNATURE_PARAM_MGF1_PROPERTIES,
      OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST_PROPS, OSSL_EXCHANGE_PARAM_KDF_DIGEST_PROPS};
  std::vector<OSSL_PARAM> kept;
  for (; params->key; ++params) {
    if (std::ranges::find(kQueries, params->key) == std::end(kQueries)) kept.push_back(*params);
  }
  kept.push_back(OSSL_PARAM_construct_end());
  return EVP_PKEY_CTX_set_params(operation, kept.data()) == 1;
}

void Software::keep() noexcept {
  leave_to_process(environment_.exchange(nullptr, std::memory_order_acq_rel));
}

}  // namespace keystay::provider
