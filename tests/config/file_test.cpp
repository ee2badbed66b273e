#include "native/config/file.h"

#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temporary_directory.h"

namespace keystay::config {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return status.st_mode & 07777;
}

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(File, IsReplacedAsAWholeWithItsPermissions) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "reference.pem";
  replace_file(file, "first", 0644);
  EXPECT_EQ(read_file(file), "first");
  EXPECT_EQ(mode_of(file), 0644U);
  const std::string large(1'000'000, 'x');
  replace_file(file, large, 0600);
  EXPECT_EQ(read_file(file), large);
  EXPECT_EQ(mode_of(file), 0600U);
  EXPECT_EQ(files_in(directory.path()), 1U) << "a temporary file was left";
}

TEST(File, StaysAsItWasIfItCannotBeReplaced) {
  const test::TemporaryDirectory directory;
  const auto target = directory.path() / "directory";
  fs::create_directory(target);
  fs::create_directory(target / "inside");  // so that rename(2) refuses
  EXPECT_THROW(replace_file(target, "text", 0644), std::system_error);
  EXPECT_TRUE(fs::is_directory(target / "inside"));
  EXPECT_EQ(files_in(directory.path()), 1U) << "a temporary file was left";
}

TEST(File, ThatIsAbsentThrowsTheSystemsReason) {
  const test::TemporaryDirectory directory;
  try {
    static_cast<void>(read_file(directory.path() / "absent"));
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
  }
  EXPECT_THROW(replace_file(directory.path() / "absent" / "file", "text", 0644), std::system_error);
}

}  // namespace
}  // namespace keystay::config
