#include "native/config/file.h"

#include <stdexcept>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST(File, IsCreatedOnlyWhereNothingHasItsName) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "key.pem";
  create_file(file, "secret", 0600);
  EXPECT_EQ(read_file(file), "secret");
  EXPECT_EQ(mode_of(file), 0600U);
  fs::create_symlink("nowhere", directory.path() / "link");
  for (const char* name : {"key.pem", "link"}) {
    try {
      create_file(directory.path() / name, "other", 0600);
      ADD_FAILURE() << name;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EEXIST);
    }
  }
  EXPECT_EQ(read_file(file), "secret");
  EXPECT_EQ(files_in(directory.path()), 2U) << "a temporary file was left";
}

// Only root can give a file away; anybody else's stays his anyway.
TEST(File, IsChangedWithItsPermissionsItsOwnerAndTheLinksToIt) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "keystay.toml";
  const auto link = directory.path() / "link";
  replace_file(file, "first", 0640);
  fs::create_symlink("keystay.toml", link);
  const uid_t owner = ::geteuid() == 0 ? 1 : ::geteuid();
  const gid_t group = ::geteuid() == 0 ? 2 : ::getegid();
  ASSERT_EQ(::chown(file.c_str(), owner, group), 0);
  change_file(link, [](const std::string& before) { return before + ", second"; });
  EXPECT_EQ(read_file(file), "first, second");
  EXPECT_TRUE(fs::is_symlink(link));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(status.st_uid, owner);
  EXPECT_EQ(status.st_gid, group);
  const ino_t before = status.st_ino;
  change_file(file, [](const std::string& same) { return same; });
  EXPECT_THROW(change_file(file, [](const std::string&) -> std::string { throw std::runtime_error("no"); }),
               std::runtime_error);
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_ino, before) << "it was replaced though nothing changed";
  EXPECT_EQ(files_in(directory.path()), 2U) << "a temporary file was left";
  EXPECT_THROW(change_file(directory.path() / "absent", [](const std::string& same) { return same; }),
               std::system_error);
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
