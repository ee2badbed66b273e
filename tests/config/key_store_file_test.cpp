#include "native/config/key_store_file.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "native/config/error.h"
#include "native/config/file.h"
#include "tests/support/temporary_directory.h"

namespace keystay::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

std::string with_magic(std::string_view lines) {
  return std::string(kKeyStoreMagic) + "\n" + std::string(lines);
}

KeyStoreFile parse_lines(std::string_view lines) { return parse_key_store(with_magic(lines), "keys.ks"); }

std::string error_in(std::string_view text) {
  try {
    static_cast<void>(parse_key_store(text, "keys.ks"));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

constexpr char kUri[] = "pkcs11:token=web?module-path=/usr/lib/m.so";

TEST(KeyStoreFile, MayNameNothingButItsKind) {
  EXPECT_EQ(parse_lines(""), KeyStoreFile());
  EXPECT_EQ(KeyStoreFile().scope, KeyStoreScope::all);
  EXPECT_EQ(KeyStoreFile().on_delete, DeleteAction::destroy);
}

TEST(KeyStoreFile, ReadsEveryKey) {
  const KeyStoreFile file =
      parse_lines("token = \"web\"\nscope = \"listed\"\ndelete = \"forget\"\naliases = [\"a\", \"b c\"]\n");
  EXPECT_EQ(file.token, "web");
  EXPECT_EQ(file.scope, KeyStoreScope::listed);
  EXPECT_EQ(file.on_delete, DeleteAction::forget);
  EXPECT_THAT(file.aliases, ElementsAre("a", "b c"));
  EXPECT_EQ(parse_lines("token = \"" + std::string(kUri) + "\"\n").token, kUri);
}

TEST(KeyStoreFile, IsWrittenAsItIsRead) {
  for (const KeyStoreFile& file :
       {KeyStoreFile{}, KeyStoreFile{"web", KeyStoreScope::all, DeleteAction::destroy, {}},
        KeyStoreFile{kUri, KeyStoreScope::listed, DeleteAction::forget, {}},
        KeyStoreFile{
            "", KeyStoreScope::listed, DeleteAction::destroy, {"a", "\"quoted\\", "tab\tnewline\n", "ä"}}}) {
    EXPECT_EQ(parse_key_store(format_key_store(file), "keys.ks"), file) << format_key_store(file);
  }
}

TEST(KeyStoreFile, IsRecognisedByItsFirstLine) {
  EXPECT_TRUE(is_key_store(format_key_store({})));
  EXPECT_FALSE(is_key_store(""));
  EXPECT_FALSE(is_key_store("# Keystay key store"));
  for (const char* more : {"0", ".5", "x", " ", "\t"}) {
    EXPECT_THROW((void)parse_key_store(std::string(kKeyStoreMagic) + more + "\n", "f.ks"), Error) << more;
  }
  EXPECT_NO_THROW((void)parse_key_store(kKeyStoreMagic, "f.ks"));
  EXPECT_NO_THROW((void)parse_key_store(std::string(kKeyStoreMagic) + "\r\n", "f.ks"));
  EXPECT_FALSE(is_key_store("\xfe\xed\xfe\xed"));
}

TEST(KeyStoreFile, NamesFileLineKeyAndTheRemedy) {
  EXPECT_EQ(
      error_in("token = \"web\"\n"),
      "keys.ks:1: this is not a key store file of Keystay; its first line would be \"# Keystay key store, "
      "version 1\"");
  EXPECT_EQ(error_in(with_magic("tokem = \"web\"\n")),
            "keys.ks:2: tokem: unknown key; did you mean \"token\"?");
  EXPECT_EQ(error_in(with_magic("scope = \"some\"\n")),
            "keys.ks:2: scope: expected \"all\" or \"listed\", got \"some\"");
  EXPECT_EQ(error_in(with_magic("delete = \"never\"\n")),
            "keys.ks:2: delete: expected \"destroy\" or \"forget\", got \"never\"");
  EXPECT_EQ(error_in(with_magic("aliases = [\"a\"]\n")),
            "keys.ks:2: aliases: the scope is \"all\"; write scope = \"listed\", or remove this line");
  EXPECT_EQ(error_in(with_magic("delete = \"forget\"\n")),
            "keys.ks:2: delete: an alias can be forgotten only by a list of them; write scope = \"listed\"");
  EXPECT_EQ(
      error_in(with_magic("token = \"pkcs11:token=web\"\n")),
      "keys.ks:2: token: the URI has no module-path; add ?module-path=/path/to/module.so, or name a token of "
      "keystay.toml");
  EXPECT_THAT(error_in(with_magic("token = \"pkcs11:token=%zz\"\n")), HasSubstr("keys.ks:2: token: "));
  EXPECT_THAT(error_in(with_magic("[[")), HasSubstr("keys.ks:2: this is not TOML"));
}

TEST(KeyStoreFile, HoldsNoPin) {
  const std::string error =
      error_in(with_magic("token = \"pkcs11:token=web?module-path=/m.so&pin-value=s3cret\"\n"));
  EXPECT_EQ(
      error,
      "keys.ks:2: token: a key store file holds no secret: write pin-source=file:/path instead of pin-value");
}

class KeyStoreUpdate : public testing::Test {
 protected:
  void add(const std::string& alias) {
    update_key_store(file_, {"web", KeyStoreScope::listed, DeleteAction::destroy, {}},
                     [&](KeyStoreFile& file) { file.aliases.push_back(alias); });
  }

  test::TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "keys.ks";
};

TEST_F(KeyStoreUpdate, BeginsWithTheInitialContent) {
  add("a");
  EXPECT_EQ(read_key_store(file_),
            (KeyStoreFile{"web", KeyStoreScope::listed, DeleteAction::destroy, {"a"}}));
}

TEST_F(KeyStoreUpdate, KeepsPermissionsAndLinks) {
  add("a");
  ASSERT_EQ(::chmod(file_.c_str(), 0600), 0);
  const auto link = directory_.path() / "link.ks";
  std::filesystem::create_symlink("keys.ks", link);
  update_key_store(link, {}, [](KeyStoreFile& file) { file.aliases.emplace_back("b"); });
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_THAT(read_key_store(file_).aliases, ElementsAre("a", "b"));
  EXPECT_EQ(std::filesystem::status(file_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(KeyStoreUpdate, LeavesAFileAloneThatDoesNotChange) {
  const std::string text = with_magic("# a note of mine\nscope = \"listed\"\naliases = [\"a\"]\n");
  replace_file(file_, text, 0644);
  update_key_store(file_, {}, [](KeyStoreFile&) {});
  EXPECT_EQ(config::read_file(file_), text);
}

TEST_F(KeyStoreUpdate, ChangesNothingIfTheChangeThrows) {
  add("a");
  EXPECT_THROW(update_key_store(file_, {},
                                [](KeyStoreFile& file) {
                                  file.aliases.clear();
                                  throw std::runtime_error("no");
                                }),
               std::runtime_error);
  EXPECT_THAT(read_key_store(file_).aliases, ElementsAre("a"));
}

TEST_F(KeyStoreUpdate, LosesNothingToOthersWhoWriteAtTheSameTime) {
  constexpr int kThreads = 4;
  constexpr int kEach = 8;
  std::vector<std::string> expected;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kEach; ++i) expected.push_back(std::to_string(t) + "-" + std::to_string(i));
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i) add(std::to_string(t) + "-" + std::to_string(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(read_key_store(file_).aliases, UnorderedElementsAreArray(expected));
}

// A pipe has nothing to read until somebody writes to it, and a device may never end.
TEST_F(KeyStoreUpdate, WaitsForNobodyWhoWrites) {
  const auto pipe = directory_.path() / "pipe.ks";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::filesystem::path& file : {pipe, std::filesystem::path("/dev/zero"), directory_.path()}) {
    const auto refused = testing::ThrowsMessage<Error>("the key store file " + file.string() +
                                                       " is no regular file; name one that is");
    EXPECT_THAT([&] { static_cast<void>(read_key_store(file)); }, refused);
    EXPECT_THAT([&] { update_key_store(file, {}, [](KeyStoreFile&) {}); }, refused);
  }
}

TEST_F(KeyStoreUpdate, SaysWhyAFileCannotBeReadOrWritten) {
  const auto absent = directory_.path() / "absent" / "keys.ks";
  EXPECT_THAT([&] { static_cast<void>(read_key_store(absent)); },
              testing::ThrowsMessage<Error>("cannot read the key store file " + absent.string() +
                                            ": No such file or directory"));
  EXPECT_THAT([&] { update_key_store(absent, {}, [](KeyStoreFile&) {}); },
              testing::ThrowsMessage<Error>("cannot lock the key store file " + absent.string() +
                                            ": No such file or directory"));
}

}  // namespace
}  // namespace keystay::config
