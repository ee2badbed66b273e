#include "tlsd/access_log/access_log_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "native/config/access_log_settings.h"

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;

// Lines of this time are written together, unless there are many.
constexpr std::chrono::milliseconds kPause = 100ms;
constexpr std::size_t kMany = 64 * 1024;
constexpr std::chrono::seconds kBetweenComplaints{10};

std::string system_message() { return std::generic_category().message(errno); }

[[noreturn]] void fail_to_open(const std::string& target, const std::string& reason) {
  throw std::runtime_error(
      fmt::format("access-log: cannot open {}: {}; its directory must be there, and the user of keystay-tlsd "
                  "must be able to write in it",
                  target, reason));
}

// A FIFO that nobody reads would hold open(2) without O_NONBLOCK.
int open_file(const std::string& target, int flags) {
  const int descriptor =
      ::open(target.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags, 0640);
  if (descriptor >= 0) ::fcntl(descriptor, F_SETFL, O_APPEND);
  return descriptor;
}

bool is_stream(const std::string& target) {
  return target == config::kStandardError || target == config::kStandardOutput;
}

int open_target(const std::string& target) {
  if (target == config::kStandardError) return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (target == config::kStandardOutput) return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  return open_file(target, O_CREAT);
}

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

class AccessLogFile::Writer final {
 public:
  explicit Writer(const std::string& target) : target_(target), descriptor_(open_target(target)) {
    if (descriptor_ < 0) fail_to_open(target, system_message());
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { ::close(descriptor_); }

  void run();

  void add(std::string_view line) {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() + line.size() > kBuffer) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const bool was_empty = waiting_.empty();
    const bool were_few = waiting_.size() < kMany;
    waiting_.append(line);
    if (was_empty || (were_few && waiting_.size() >= kMany)) work_.notify_one();
  }

  void leave_out() noexcept { left_out_.fetch_add(1, std::memory_order_relaxed); }

  void reopen() {
    const std::scoped_lock lock(mutex_);
    reopen_ = true;
    work_.notify_one();
  }

  void close() {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    work_.notify_one();
  }

  void flush(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    hurry_ = true;
    work_.notify_one();
    done_.wait_for(lock, limit, [this] { return waiting_.empty() && !writing_; });
  }

  [[nodiscard]] const std::string& target() const noexcept { return target_; }
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool is_urgent() const { return waiting_.size() >= kMany || reopen_ || closing_ || hurry_; }
  void write_taken();
  [[nodiscard]] bool write_some(std::string_view& rest);
  void open_again();
  void complain();

  const std::string target_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::string waiting_;
  bool writing_ = false;
  bool reopen_ = false;
  bool closing_ = false;
  bool hurry_ = false;
  std::atomic<std::uint64_t> lines_{0};
  std::atomic<std::uint64_t> left_out_{0};

  // Of the thread alone.
  int descriptor_;
  std::string taken_;
  bool failed_ = false;  // the last write did
  std::uint64_t told_ = 0;
  std::chrono::steady_clock::time_point complained_{};
};

void AccessLogFile::Writer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return !waiting_.empty() || reopen_ || closing_; });
    work_.wait_for(lock, kPause, [this] { return is_urgent(); });
    std::swap(waiting_, taken_);
    const bool reopen = std::exchange(reopen_, false);
    hurry_ = false;
    writing_ = true;
    lock.unlock();
    write_taken();
    if (reopen) open_again();
    complain();
    lock.lock();
    writing_ = false;
    done_.notify_all();
    if (closing_ && waiting_.empty()) return;
  }
}

// The rest of a write that fails is lost: a log that waits for room on a disk would only lose what is newer.
void AccessLogFile::Writer::write_taken() {
  const std::uint64_t count = count_lines(taken_);
  std::string_view rest = taken_;
  while (!rest.empty() && write_some(rest)) continue;
  const std::uint64_t lost = count_lines(rest);
  lines_.fetch_add(count - lost, std::memory_order_relaxed);
  left_out_.fetch_add(lost, std::memory_order_relaxed);
  if (rest.empty() && !taken_.empty() && std::exchange(failed_, false))
    spdlog::info("access log {}: it can be written again", target_);
  taken_.clear();
}

// False if nothing more can be written now.
bool AccessLogFile::Writer::write_some(std::string_view& rest) {
  const ssize_t size = ::write(descriptor_, rest.data(), rest.size());
  if (size >= 0) {
    rest.remove_prefix(static_cast<std::size_t>(size));
    return true;
  }
  if (errno == EINTR) return true;
  if (errno == EAGAIN) {  // of a standard stream that somebody else has set so
    pollfd state{descriptor_, POLLOUT, 0};
    ::poll(&state, 1, -1);
    return true;
  }
  if (!std::exchange(failed_, true))
    spdlog::error("access log {}: cannot be written: {}; its lines are left out until it can", target_,
                  system_message());
  return false;
}

void AccessLogFile::Writer::open_again() {
  if (is_stream(target_)) return;
  const int fresh = open_target(target_);
  if (fresh < 0) {
    spdlog::error("access log {}: cannot be opened again: {}; the file that was open is still written",
                  target_, system_message());
    return;
  }
  ::close(std::exchange(descriptor_, fresh));
  spdlog::info("access log {}: opened again", target_);
}

void AccessLogFile::Writer::complain() {
  const std::uint64_t left_out = this->left_out();
  const auto now = std::chrono::steady_clock::now();
  if (failed_ || left_out == told_ || now - complained_ < kBetweenComplaints) return;
  spdlog::warn("access log {}: {} lines left out", target_, left_out - told_);
  told_ = left_out;
  complained_ = now;
}

AccessLogFile::AccessLogFile(const std::string& target) : writer_(std::make_shared<Writer>(target)) {
  std::thread([writer = writer_] { writer->run(); }).detach();
}

AccessLogFile::~AccessLogFile() { writer_->close(); }

void AccessLogFile::write(std::string_view line) noexcept {
  try {
    writer_->add(line);
  } catch (const std::exception&) {
    writer_->leave_out();  // no memory for it
  }
}

void AccessLogFile::leave_out() noexcept { writer_->leave_out(); }

void AccessLogFile::reopen() noexcept {
  try {
    writer_->reopen();
  } catch (const std::exception& error) {
    spdlog::error("access log {}: cannot be opened again: {}", target(), error.what());
  }
}

void AccessLogFile::flush(std::chrono::milliseconds limit) { writer_->flush(limit); }

const std::string& AccessLogFile::target() const noexcept { return writer_->target(); }
std::uint64_t AccessLogFile::lines() const noexcept { return writer_->lines(); }
std::uint64_t AccessLogFile::left_out() const noexcept { return writer_->left_out(); }

void expect_writable(const std::string& target) {
  if (is_stream(target)) return;
  if (const int descriptor = open_file(target, 0); descriptor >= 0) {
    ::close(descriptor);
    return;
  }
  if (errno != ENOENT) fail_to_open(target, system_message());
  const auto directory = std::filesystem::path(target).parent_path();
  if (::access(directory.c_str(), W_OK | X_OK) != 0) fail_to_open(target, system_message());
}

}  // namespace keystay::tlsd
