#include "tests/support/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ostream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace keystay::test {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPollInterval{2};

[[noreturn]] void throw_errno(const std::string& what, int error = errno) {
  throw std::system_error(error, std::generic_category(), what);
}

// An anonymous file: the program never blocks on it, however much it writes, and nobody has to drain it.
Descriptor anonymous_file(const char* name) {
  Descriptor file(memfd_create(name, MFD_CLOEXEC));
  if (file.get() < 0) throw_errno("memfd_create");
  return file;
}

Descriptor appending_file(const char* name) {
  Descriptor file = anonymous_file(name);
  if (fcntl(file.get(), F_SETFL, O_APPEND) != 0) throw_errno("fcntl O_APPEND");
  return file;
}

Descriptor file_with(const std::string& text) {
  Descriptor file = anonymous_file("stdin");
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t n = write(file.get(), text.data() + written, text.size() - written);
    if (n < 0) throw_errno("write");
    written += static_cast<std::size_t>(n);
  }
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string contents(const Descriptor& file) {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t n = pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (n < 0) throw_errno("pread");
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

std::vector<std::string> merged_environment(const Environment& changes) {
  Environment all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      all.emplace(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
    }
  }
  for (const auto& [name, value] : changes) {
    if (value.empty()) {
      all.erase(name);
    } else {
      all.insert_or_assign(name, value);
    }
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) lines.push_back(name + "=" + value);
  return lines;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

// The group makes it possible to end what the program started; signals that the test ignores or blocks are
// given back their defaults.
class SpawnAttributes final {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

class SpawnFiles final {
 public:
  SpawnFiles(const Descriptor& input, const Descriptor& output, const Descriptor& error) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, error.get(), STDERR_FILENO);
  }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&actions_); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor tcp_socket() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) throw_errno("socket");
  return socket;
}

}  // namespace

Process::Process(const Arguments& arguments, const RunOptions& options)
    : output_(appending_file("stdout")), error_(appending_file("stderr")) {
  const Descriptor input = file_with(options.input);
  const SpawnFiles files(input, output_, error_);
  const SpawnAttributes attributes;
  const std::vector<std::string> environment = merged_environment(options.environment);
  const int error = posix_spawnp(&pid_, arguments.at(0).c_str(), files.get(), attributes.get(),
                                 pointers(arguments).data(), pointers(environment).data());
  if (error != 0) throw_errno("cannot start " + arguments[0], error);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      reaped_(std::exchange(other.reaped_, true)),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)) {}

Process::~Process() {
  if (pid_ < 0 || reaped_) return;
  ::kill(pid_, SIGTERM);
  if (!reap(std::chrono::seconds(5))) {
    kill_group();
    reap(std::chrono::seconds(5));
  }
}

bool Process::reap(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!reaped_) {
    const pid_t pid = waitpid(pid_, &status_, WNOHANG);
    if (pid < 0 && errno != EINTR) throw_errno("waitpid");
    reaped_ = pid == pid_;
    if (reaped_) break;
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

void Process::kill_group() const noexcept { ::kill(-pid_, SIGKILL); }

Outcome Process::outcome(int status) const {
  Outcome result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.output = output();
  result.error = error();
  return result;
}

bool Process::running() { return !reap(std::chrono::milliseconds(0)); }

void Process::send(int signal) const {
  if (reaped_) throw std::logic_error("the process has ended; its id may be another's now");
  if (::kill(pid_, signal) != 0) throw_errno("kill");
}

std::string Process::output() const { return contents(output_); }
std::string Process::error() const { return contents(error_); }

bool Process::wait_for_text(std::string_view text, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  for (;;) {
    const bool alive = running();  // asked first: what it wrote before its end counts
    if (output().find(text) != std::string::npos || error().find(text) != std::string::npos) return true;
    if (!alive || Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
}

Outcome Process::wait(std::chrono::milliseconds limit) {
  const bool ended = reap(limit);
  if (!ended) {
    kill_group();
    reap(std::chrono::seconds(5));
  }
  Outcome result = outcome(status_);
  result.timed_out = !ended;
  return result;
}

Outcome Process::stop(std::chrono::milliseconds limit) {
  if (running()) send(SIGTERM);
  return wait(limit);
}

Outcome run(const Arguments& arguments, const RunOptions& options) {
  return Process(arguments, options).wait(options.limit);
}

std::string run_or_throw(const Arguments& arguments, const RunOptions& options) {
  Outcome outcome = run(arguments, options);
  if (outcome.ok()) return std::move(outcome.output);
  throw std::runtime_error(arguments.at(0) + " failed: exit code " + std::to_string(outcome.exit_code) +
                           ", signal " + std::to_string(outcome.signal) + "\n" + outcome.output +
                           outcome.error);
}

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  if (outcome.timed_out) stream << "killed at its time limit";
  if (!outcome.timed_out && outcome.signal != 0) stream << "ended by signal " << outcome.signal;
  if (outcome.signal == 0) stream << "exit code " << outcome.exit_code;
  return stream << "\n--- stdout\n" << outcome.output << "\n--- stderr\n" << outcome.error;
}

std::uint16_t free_port() {
  const Descriptor socket = tcp_socket();
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) throw_errno("bind");
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw_errno("getsockname");
  return ntohs(address.sin_port);
}

bool wait_for_port(std::uint16_t port, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const sockaddr_in address = loopback(port);
  for (;;) {
    const Descriptor socket = tcp_socket();
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPollInterval * 5);
  }
}

bool true_in_child(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    bool result = false;
    try {
      result = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    _exit(result ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace keystay::test
