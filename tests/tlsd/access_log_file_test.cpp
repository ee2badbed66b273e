// Lines reach their file whole and in order, and nobody waits for it.
#include "tlsd/access_log/access_log_file.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/descriptor.h"
#include "tests/support/temporary_directory.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using tlsd::AccessLogFile;

constexpr auto kLong = 30s;  // only to end what hangs

class AccessLogFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_.path() / name).string();
  }

  [[nodiscard]] static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  TemporaryDirectory directory_;
  LogCapture log_;
};

TEST_F(AccessLogFileTest, HasEachLineOfEachThreadWhole) {
  constexpr int kThreads = 4;
  constexpr int kLines = 5000;
  AccessLogFile file(path("log"));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&file, t] {
      for (int i = 0; i < kLines; ++i) file.write(std::to_string(t) + " " + std::to_string(i) + "\n");
    });
  }
  for (auto& thread : threads) thread.join();
  file.flush(kLong);
  std::ifstream in(path("log"));
  std::vector<int> next(kThreads);
  int t = 0;
  int i = 0;
  while (in >> t >> i) ASSERT_EQ(i, next.at(static_cast<std::size_t>(t))++);
  for (const int lines : next) EXPECT_EQ(lines, kLines);
  EXPECT_EQ(file.lines(), static_cast<std::uint64_t>(kThreads) * kLines);
  EXPECT_EQ(file.left_out(), 0U);
}

TEST_F(AccessLogFileTest, GoesOnBehindWhatIsThere) {
  directory_.write("log", "before\n");
  AccessLogFile file(path("log"));
  file.write("after\n");
  file.flush(kLong);
  EXPECT_EQ(content(path("log")), "before\nafter\n");
}

// The pipe has a reader that does not read.
TEST_F(AccessLogFileTest, LeavesOutWhatTheBufferHasNoRoomFor) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const Descriptor reader(::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  AccessLogFile file(path("pipe"));
  const std::string line = std::string(1023, 'x') + "\n";
  constexpr std::uint64_t kLines = 4 * AccessLogFile::kBuffer / 1024;
  for (std::uint64_t i = 0; i < kLines; ++i) file.write(line);
  EXPECT_GT(file.left_out(), 0U);

  std::uint64_t size = 0;
  std::vector<char> bytes(65536);
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (file.lines() + file.left_out() < kLines && std::chrono::steady_clock::now() < end) {
    const ssize_t more = ::read(reader.get(), bytes.data(), bytes.size());
    if (more > 0) size += static_cast<std::uint64_t>(more);
  }
  for (ssize_t more = 1; more > 0;) {
    more = ::read(reader.get(), bytes.data(), bytes.size());
    if (more > 0) size += static_cast<std::uint64_t>(more);
  }
  EXPECT_EQ(file.lines() + file.left_out(), kLines);
  EXPECT_EQ(size, file.lines() * line.size());
  EXPECT_TRUE(log_.wait_for(std::to_string(file.left_out()) + " lines left out")) << log_.text();
}

TEST_F(AccessLogFileTest, AFullDiskIsOneErrorAndACount) {
  AccessLogFile file("/dev/full");
  for (int i = 0; i < 3; ++i) {
    file.write("lost\n");
    file.flush(kLong);
  }
  EXPECT_EQ(file.left_out(), 3U);
  EXPECT_EQ(file.lines(), 0U);
  EXPECT_EQ(log_.count("error: access log /dev/full: cannot be written: No space left on device"), 1)
      << log_.text();
}

TEST_F(AccessLogFileTest, IsOpenedAgainAfterARename) {
  AccessLogFile file(path("log"));
  file.write("first\n");
  file.flush(kLong);
  std::filesystem::rename(path("log"), path("log.1"));
  file.write("second\n");
  file.flush(kLong);
  file.reopen();
  EXPECT_TRUE(log_.wait_for("access log " + path("log") + ": opened again")) << log_.text();
  file.write("third\n");
  file.flush(kLong);
  EXPECT_EQ(content(path("log.1")), "first\nsecond\n");
  EXPECT_EQ(content(path("log")), "third\n");
}

TEST_F(AccessLogFileTest, KeepsTheOldFileWhereTheNewOneCannotBeOpened) {
  std::filesystem::create_directory(path("logs"));
  AccessLogFile file(path("logs/log"));
  std::filesystem::rename(path("logs"), path("away"));
  file.reopen();
  EXPECT_TRUE(
      log_.wait_for("cannot be opened again: No such file or directory; the file that was open is still"))
      << log_.text();
  file.write("line\n");
  file.flush(kLong);
  EXPECT_EQ(content(path("away/log")), "line\n");
}

TEST_F(AccessLogFileTest, WritesWhatWaitsWhenNobodyUsesItAnyMore) {
  AccessLogFile(path("log")).write("last\n");
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (content(path("log")).empty() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(2ms);  // its thread says nothing
  EXPECT_EQ(content(path("log")), "last\n");
}

std::string reason(void (*open)(const std::string&), const std::string& target) {
  try {
    open(target);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

TEST_F(AccessLogFileTest, SaysWhyItCannotBeOpened) {
  const auto open = [](const std::string& target) { const AccessLogFile file(target); };
  const auto look = [](const std::string& target) { tlsd::expect_writable(target); };
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);  // without a reader
  for (const auto how : {+open, +look}) {
    EXPECT_THAT(reason(how, path("none/log")), AllOf(HasSubstr("access-log: cannot open " + path("none/log")),
                                                     HasSubstr("No such file or directory")));
    EXPECT_THAT(reason(how, directory_.path().string()), HasSubstr("Is a directory"));
    EXPECT_THAT(reason(how, path("pipe")), HasSubstr("No such device or address"));
    EXPECT_EQ(reason(how, "stderr"), "");
  }
}

TEST_F(AccessLogFileTest, LookingMakesNoFile) {
  tlsd::expect_writable(path("log"));
  EXPECT_FALSE(std::filesystem::exists(path("log")));
}

}  // namespace
}  // namespace keystay::test
