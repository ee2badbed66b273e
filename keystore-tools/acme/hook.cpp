#include "keystore-tools/acme/hook.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keystore-tools/failure.h"

namespace keystay::tools::acme {
namespace {

constexpr std::chrono::minutes kPatience{10};
constexpr std::chrono::milliseconds kNap{20};  // between two looks whether it has ended

std::string reason(int error) { return std::generic_category().message(error); }

// The files and signals that a hook begins with.
class SpawnOptions final {
 public:
  SpawnOptions() {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* files() const { return &files_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

std::vector<std::string> environment_of(const Hook& hook, const std::vector<std::string>& more) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    if (std::ranges::find(hook.secret_variables, name) == hook.secret_variables.end())
      variables.emplace_back(variable);
  }
  variables.insert(variables.end(), more.begin(), more.end());
  return variables;
}

// As execve(2) wants them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string name_of(const Hook& hook, const std::vector<std::string>& arguments) {
  std::string name = "the hook " + hook.program.string();
  for (const std::string& argument : arguments) name += " " + argument;
  return name;
}

int wait_for(pid_t process, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) return status;
    if (ended < 0 && errno != EINTR) throw Failure(name + ": waitpid: " + reason(errno));
    if (std::chrono::steady_clock::now() >= deadline) {
      ::kill(process, SIGKILL);
      ::waitpid(process, &status, 0);
      throw Failure(name + " had not ended after " + std::to_string(kPatience.count()) +
                    " minutes, and was killed");
    }
    std::this_thread::sleep_for(kNap);
  }
}

}  // namespace

void require_executable(const std::filesystem::path& program, const char* option) {
  std::error_code unreadable;
  if (program.is_absolute() && std::filesystem::is_regular_file(program, unreadable) &&
      ::access(program.c_str(), X_OK) == 0) {
    return;
  }
  throw UsageError(std::string(option) + " " + program.string() +
                   ": expected the whole path of a program that can be executed");
}

void run_hook(const Hook& hook, const std::vector<std::string>& arguments,
              const std::vector<std::string>& more) {
  std::vector<std::string> command{hook.program.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = environment_of(hook, more);
  const SpawnOptions options;
  const std::string name = name_of(hook, arguments);
  pid_t process = 0;
  if (const int error = ::posix_spawn(&process, hook.program.c_str(), options.files(), options.attributes(),
                                      pointers_to(command).data(), pointers_to(environment).data());
      error != 0) {
    throw Failure(name + " cannot be started: " + reason(error));
  }
  const int status = wait_for(process, name);
  if (WIFSIGNALED(status)) throw Failure(name + " was ended by signal " + std::to_string(WTERMSIG(status)));
  if (const int code = WEXITSTATUS(status); code != 0)
    throw Failure(name + " ended with code " + std::to_string(code) + "; what it wrote says why");
}

}  // namespace keystay::tools::acme
