// RAND_METHOD is deprecated, and the only thing that RAND_bytes looks at before it takes a lock.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "provider/system_entropy.h"

#include <cerrno>
#include <memory>
#include <mutex>
#include <system_error>

#include <openssl/rand.h>
#include <sys/random.h>

#include "native/pkcs11/module_call.h"
#include "native/pkcs11/per_process.h"

namespace keystay::provider {
namespace {

int bytes_for_modules(unsigned char* out, int size) {
  if (!pkcs11::ModuleCall::inside()) return RAND_OpenSSL()->bytes(out, size);
  try {
    fill_from_system({out, static_cast<std::size_t>(size)});
  } catch (const std::system_error&) {
    return 0;  // the module's own call fails, and says so
  }
  return 1;
}

const RAND_METHOD* method_for_modules() {
  static const RAND_METHOD method = [] {
    RAND_METHOD made = *RAND_OpenSSL();
    made.bytes = bytes_for_modules;
    made.pseudorand = bytes_for_modules;
    return made;
  }();
  return &method;
}

struct Lives {
  std::mutex mutex;
  int count = 0;
};

// A child that was forked in the middle starts with none, and takes the method away after its own first.
Lives& lives() {
  static auto& known = *new pkcs11::PerProcess<Lives>([] { return std::make_unique<Lives>(); });
  return known.get();
}

}  // namespace

void fill_from_system(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got >= 0) {
      out = out.subspan(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
  }
}

void keep_engines_from_generating() noexcept { static_cast<void>(RAND_get_rand_method()); }

SystemEntropyForModules::SystemEntropyForModules() {
  Lives& here = lives();
  const std::lock_guard lock(here.mutex);
  if (here.count++ == 0 && RAND_get_rand_method() == RAND_OpenSSL())
    RAND_set_rand_method(method_for_modules());
}

SystemEntropyForModules::~SystemEntropyForModules() {
  Lives& here = lives();
  const std::lock_guard lock(here.mutex);
  if (--here.count == 0 && RAND_get_rand_method() == method_for_modules())
    RAND_set_rand_method(RAND_OpenSSL());
}

}  // namespace keystay::provider
