// Starts the runtime of AddressSanitizer or ThreadSanitizer before any library's constructor runs. Preloaded
// (LD_PRELOAD) beside the runtime into programs that were built without it and load libraries that were built
// with it.
//
// A runtime starts at the first malloc. In a program that links p11-kit (curl and PostgreSQL, by GnuTLS) this
// is one of newlocale(3) in p11-kit's constructor, under glibc's lock for setlocale(3). The runtime looks for
// functions that are not there, and dlerror(3) translates the message for each: that takes the same lock for
// reading, and gives back the writer's. The program hangs in its first setlocale. This library is linked with
// `-z initfirst`.
#ifdef __SANITIZE_THREAD__
#define KEYSTAY_START_RUNTIME __tsan_init
#else
#define KEYSTAY_START_RUNTIME __asan_init
#endif

extern "C" void KEYSTAY_START_RUNTIME();

namespace {

[[gnu::constructor]] void start_runtime() { KEYSTAY_START_RUNTIME(); }

}  // namespace
