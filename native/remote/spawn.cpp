#include "native/remote/spawn.h"

#include <array>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/config/file_descriptor.h"

namespace keystay::remote {
namespace {

using config::FileDescriptor;

constexpr int kFirst = 3;   // the number of the first descriptor in the program
constexpr int kAbove = 64;  // copies have numbers above those of the program
constexpr std::size_t kStack = std::size_t{64} * 1024;

void require(int error, const char* what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

class Actions final {
 public:
  explicit Actions(std::span<const int> descriptors) {
    require(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init");
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      require(::posix_spawn_file_actions_addopen(&actions_, standard, "/dev/null", O_RDWR, 0), "/dev/null");
    int number = kFirst;
    for (const int descriptor : descriptors)
      require(::posix_spawn_file_actions_adddup2(&actions_, descriptor, number++), "adddup2");
    require(::posix_spawn_file_actions_addclosefrom_np(&actions_, number), "addclosefrom");
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }

  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// A session of its own, so that what a terminal sends to the host program does not reach it, and the signals
// as a new program expects them.
class Attributes final {
 public:
  Attributes() {
    require(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }

  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

struct Start {
  const char* program;
  const posix_spawn_file_actions_t* actions;
  const posix_spawnattr_t* attributes;
  char* const* arguments;
  char* const* environment;
  int error;
};

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer takes clone(2) for a fork and _exit(2) for the end of this process. What the new process
// then does to the runtime's memory, which is this one's too, blinds it to every lock from then on. These are
// the same functions, by ways that the runtime does not see.
extern "C" int __clone(int (*)(void*), void*, int, void*,
                       ...);  // NOLINT(bugprone-reserved-identifier): its name
constexpr auto& make_process = __clone;
__attribute__((no_sanitize("thread"))) void end_process() noexcept { ::syscall(SYS_exit_group, 0); }
#define KEYSTAY_UNINSTRUMENTED __attribute__((no_sanitize("thread")))
#else
constexpr auto& make_process = ::clone;
void end_process() noexcept { ::_exit(0); }
#define KEYSTAY_UNINSTRUMENTED
#endif

// Runs in the memory of this process, whose thread waits for it (CLONE_VM, CLONE_VFORK).
KEYSTAY_UNINSTRUMENTED int start(void* data) noexcept {
  auto& job = *static_cast<Start*>(data);
  pid_t ignored = 0;
  job.error =
      ::posix_spawn(&ignored, job.program, job.actions, job.attributes, job.arguments, job.environment);
  end_process();
  return 0;
}

// All of them, while the process between runs on this one's memory.
class SignalsBlocked final {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// By a process between, which ends at once, so that the program is an orphan. Its end sends no signal
// (the lowest byte of the flags is 0), and only __WCLONE finds it.
void run_between(Start& job) {
  std::vector<std::byte> stack(kStack);
  const SignalsBlocked blocked;
  const pid_t between = make_process(&start, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK, &job);
  if (between < 0) require(errno, "clone");
  while (::waitpid(between, nullptr, __WCLONE) < 0 && errno == EINTR) {
  }
}

}  // namespace

void spawn_detached(const std::filesystem::path& program, std::span<const int> descriptors) {
  std::vector<FileDescriptor> copies;
  std::vector<int> numbers;
  for (const int descriptor : descriptors) {
    copies.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, kAbove));
    if (!copies.back().valid()) require(errno, "fcntl");
    numbers.push_back(copies.back().get());
  }
  const Actions actions(numbers);
  const Attributes attributes;
  std::string name = program.string();
  std::string path = "PATH=/usr/bin:/bin";
  const std::array<char*, 2> arguments{name.data(), nullptr};
  const std::array<char*, 2> environment{path.data(), nullptr};
  Start job{name.c_str(), actions.get(), attributes.get(), arguments.data(), environment.data(), 0};
  run_between(job);
  require(job.error, name.c_str());
}

}  // namespace keystay::remote
