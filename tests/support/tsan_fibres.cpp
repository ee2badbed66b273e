// Tells ThreadSanitizer of the fibres of OpenSSL's jobs (ASYNC_start_job(3)), which it would otherwise take
// for one stack that jumps about. libcrypto makes a fibre with makecontext(3), enters it by setcontext(3) and
// leaves and resumes it by _setjmp and _longjmp (crypto/async/arch/async_posix.h); it calls all of them
// through its procedure linkage table, so that those of the program come first. Linked into every program of
// a build with -fsanitize=thread that runs jobs, and into no other.
#include <csetjmp>
#include <cstddef>
#include <cstdlib>
#include <map>

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <sys/mman.h>
#include <ucontext.h>

// The runtime's own longjmp, which puts right what it knows of the stack that is jumped to.
extern "C" [[noreturn]] void __interceptor_longjmp(__jmp_buf_tag* environment, int value);

namespace {

// No function here is instrumented: each begins on one stack and may end on another.
#define KEYSTAY_UNINSTRUMENTED __attribute__((no_sanitize("thread")))

// OpenSSL's 32 KiB are too few for instrumented frames.
constexpr std::size_t kStackSize = 512 * 1024;

struct Fibre {
  void* tsan;
  void* stack;
};

// Of this thread, by the ucontext_t that OpenSSL's async_fibre begins with. A job never changes its thread.
struct Fibres {
  Fibres() = default;
  Fibres(const Fibres&) = delete;
  Fibres& operator=(const Fibres&) = delete;
  ~Fibres() {
    for (const auto& [_, fibre] : all) free(fibre);
  }

  static void free(const Fibre& fibre) {
    __tsan_destroy_fiber(fibre.tsan);
    munmap(fibre.stack, kStackSize);
  }

  std::map<const char*, Fibre> all;
  void* own = nullptr;  // the thread's, while it is in a job
};
thread_local Fibres fibres;

template <typename Function>
KEYSTAY_UNINSTRUMENTED Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// The fibre whose async_fibre this address is in: its jmp_buf follows the ucontext_t. Null for another one.
KEYSTAY_UNINSTRUMENTED const Fibre* fibre_at(const void* address) {
  const auto* bytes = static_cast<const char*>(address);
  auto after = fibres.all.upper_bound(bytes);
  if (after == fibres.all.begin()) return nullptr;
  const auto& [begin, fibre] = *--after;
  return bytes <= begin + sizeof(ucontext_t) + alignof(std::max_align_t) ? &fibre : nullptr;
}

KEYSTAY_UNINSTRUMENTED void enter(const Fibre& fibre) {
  fibres.own = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fibre.tsan, 0);
}

}  // namespace

// OpenSSL's function takes no arguments.
extern "C" KEYSTAY_UNINSTRUMENTED void makecontext(ucontext_t* context, void (*function)(), int, ...) {
  const auto* key = reinterpret_cast<const char*>(context);
  if (const auto old = fibres.all.find(key); old != fibres.all.end()) {  // of a job that was freed
    Fibres::free(old->second);
    fibres.all.erase(old);
  }
  void* stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) std::abort();
  fibres.all.emplace(key, Fibre{__tsan_create_fiber(0), stack});
  const stack_t theirs = context->uc_stack;  // which OpenSSL frees
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = kStackSize;
  next<void(ucontext_t*, void (*)(), int, ...)>("makecontext")(context, function, 0);
  context->uc_stack = theirs;
}

extern "C" KEYSTAY_UNINSTRUMENTED int setcontext(const ucontext_t* context) {
  if (const Fibre* fibre = fibre_at(context)) enter(*fibre);
  return next<int(const ucontext_t*)>("setcontext")(context);
}

extern "C" KEYSTAY_UNINSTRUMENTED void _longjmp(__jmp_buf_tag* environment, int value) {
  if (const Fibre* fibre = fibre_at(environment)) {
    enter(*fibre);
  } else if (fibres.own != nullptr) {
    __tsan_switch_to_fiber(fibres.own, 0);
    fibres.own = nullptr;
  }
  __interceptor_longjmp(environment, value);
}
