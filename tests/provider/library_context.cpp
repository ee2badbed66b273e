#include "tests/provider/library_context.h"

#include <array>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/pem.h>
#ifdef __SANITIZE_ADDRESS__
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#elif defined(__SANITIZE_THREAD__)
#include <dlfcn.h>

extern "C" void __tsan_init();
#endif

namespace keystay::test {
namespace {

using Store = Owned<OSSL_STORE_CTX, OSSL_STORE_close>;
using StoreInfo = Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free>;

EvpPkey first_key(OSSL_STORE_CTX* store) {
  while (!OSSL_STORE_eof(store)) {
    const StoreInfo info(OSSL_STORE_load(store));
    if (!info) continue;
    if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PKEY) {
      return EvpPkey(OSSL_STORE_INFO_get1_PKEY(info.get()));
    }
    if (OSSL_STORE_INFO_get_type(info.get()) == OSSL_STORE_INFO_PUBKEY) {
      return EvpPkey(OSSL_STORE_INFO_get1_PUBKEY(info.get()));
    }
  }
  return {};
}

EvpPkey open_and_load(OSSL_LIB_CTX* context, const std::string& uri, int expect, UI_METHOD* ui, void* data) {
  const Store store(OSSL_STORE_open_ex(uri.c_str(), context, nullptr, ui, data, nullptr, nullptr, nullptr));
  if (!store || (expect != 0 && OSSL_STORE_expect(store.get(), expect) != 1)) return {};
  return first_key(store.get());
}

}  // namespace

std::string provider_path() {
  const char* build = std::getenv("KEYSTAY_BUILD");
  if (!build) throw std::runtime_error("KEYSTAY_BUILD is not set: run this test by ctest");
  return std::string(build) + "/ossl-modules";
}

Environment program_environment() {
#ifdef __SANITIZE_ADDRESS__
  // The runtime, and what throws exceptions: the runtime looks that up when it starts.
  Dl_info runtime{};
  Dl_info exceptions{};
  if (dladdr(reinterpret_cast<void*>(&__asan_address_is_poisoned), &runtime) == 0 ||
      dladdr(reinterpret_cast<void*>(&std::terminate), &exceptions) == 0)
    throw std::runtime_error("no libasan or no libstdc++");
  return {{"LD_PRELOAD", std::string(runtime.dli_fname) + " " + exceptions.dli_fname}};
#elif defined(__SANITIZE_THREAD__)
  Dl_info runtime{};
  if (dladdr(reinterpret_cast<void*>(&__tsan_init), &runtime) == 0) throw std::runtime_error("no libtsan");
  return {{"LD_PRELOAD", runtime.dli_fname}};
#else
  return {};
#endif
}

LibraryContext::LibraryContext(Order order) : context_(OSSL_LIB_CTX_new()) {
  OSSL_PROVIDER_set_default_search_path(get(), provider_path().c_str());
  const auto load = [&](const char* name) {
    OSSL_PROVIDER* provider = OSSL_PROVIDER_load(get(), name);
    if (!provider)
      throw std::runtime_error(std::string("cannot load provider ") + name + ": " + take_errors());
    return provider;
  };
  if (order == Order::keystay_first) keystay_.reset(load("keystay"));
  default_.reset(load("default"));
  if (order == Order::keystay_last) keystay_.reset(load("keystay"));
}

EvpPkey LibraryContext::load(const std::string& uri, int expect) const {
  return open_and_load(get(), uri, expect, nullptr, nullptr);
}

EvpPkey LibraryContext::load_with_ui(const std::string& uri, UI_METHOD* ui, void* data, int expect) const {
  return open_and_load(get(), uri, expect, ui, data);
}

EvpPkey LibraryContext::read_pem(std::string_view pem, pem_password_cb* callback, void* argument) const {
  const x509::InputOutput bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return EvpPkey(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, callback, argument, get(), nullptr));
}

std::string take_errors() {
  std::string lines;
  const char* file = nullptr;
  const char* function = nullptr;
  const char* data = nullptr;
  int line = 0;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(&file, &line, &function, &data, &flags)) {
    std::array<char, 256> text;
    ERR_error_string_n(code, text.data(), text.size());
    lines += std::string(text.data()) + ": " + data + " (" + file + ")\n";
  }
  return lines;
}

// By the file that raised it, a C++ one: OpenSSL 3.0 gives each provider that is loaded the next number of a
// library (ERR_get_next_error_library), which has eight bits, so that a program that loads many has names of
// others in its errors.
std::ptrdiff_t keystay_entries(std::string_view errors) {
  constexpr std::string_view kOurs = ".cpp)\n";
  std::ptrdiff_t count = 0;
  for (std::size_t at = 0; (at = errors.find(kOurs, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

}  // namespace keystay::test
