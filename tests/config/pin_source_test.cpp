#include "native/config/pin_source.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/config/error.h"
#include "native/pkcs11/error.h"
#include "tests/support/temporary_directory.h"

namespace keystay::config {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const pkcs11::Pin& pin) {
  return {reinterpret_cast<const char*>(pin.bytes().data()), pin.bytes().size()};
}

std::string read(std::string_view source, PinPrompt prompt = {}) {
  return text_of(pin_reader(source, "web", std::move(prompt))());
}

// The message of a reader that cannot read; its class is always the one that nobody retries.
std::string failure(std::string_view source) {
  try {
    static_cast<void>(pin_reader(source, "web", {})());
  } catch (const pkcs11::Error& error) {
    EXPECT_EQ(error.error_class(), pkcs11::ErrorClass::authentication);
    return error.what();
  }
  return "no error";
}

class PinSource : public testing::Test {
 protected:
  std::string file(std::string_view text, mode_t mode = 0600) {
    const auto path = directory_.write("web.pin", text);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path.string();
  }

  test::TemporaryDirectory directory_;
};

TEST_F(PinSource, IsAFileInEveryFormOfRfc7512) {
  const std::string path = file("123456");
  for (const std::string& source : {"file:" + path, "file://" + path, "file://localhost" + path, path}) {
    EXPECT_TRUE(is_pin_source(source)) << source;
    EXPECT_EQ(read(source), "123456") << source;
  }
}

TEST_F(PinSource, LosesOneNewlineAtTheEndOfAFileAndNothingElse) {
  EXPECT_EQ(read(file("123456\n")), "123456");
  EXPECT_EQ(read(file("123456\r\n")), "123456");
  EXPECT_EQ(read(file(" 12 34 ")), " 12 34 ");
  EXPECT_THAT(failure(file("123456\n\n")), HasSubstr("has more than one line; leave only the PIN"));
}

TEST_F(PinSource, IsReadOnlyWhenTheLoginNeedsIt) {
  const std::string path = directory_.path() / "late.pin";
  const pkcs11::PinReader reader = pin_reader("file:" + path, "web", {});
  directory_.write("late.pin", "first");
  EXPECT_EQ(text_of(reader()), "first");
  directory_.write("late.pin", "second");
  EXPECT_EQ(text_of(reader()), "second");
}

TEST_F(PinSource, RefusesAFileThatOthersMayReadOrWrite) {
  for (const mode_t mode : {0604U, 0602U, 0601U, 0644U, 0666U}) {
    const std::string path = file("123456", mode);
    EXPECT_EQ(failure(path), "cannot read the PIN of token \"web\": " + path +
                                 " is open to all users of this machine; run: chmod o= " + path);
  }
  EXPECT_EQ(read(file("123456", 0640)), "123456") << "the group of a server may read its PIN";
}

// In a process that is not root's (any more): root may read everything.
TEST_F(PinSource, SaysWhichUserMayNotReadTheFileAndWhatWouldLetIt) {
  const std::string path = file("123456", 0000);
  const uid_t user = ::geteuid();
  if (user == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string message = failure(path);
  const std::string id = std::to_string(::geteuid());
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_THAT(message,
              HasSubstr(path + ": Permission denied for the user with the ID " + id + "; let a group"));
  EXPECT_THAT(message, HasSubstr("chmod 640 " + path));
}

TEST_F(PinSource, RefusesWhatCannotBeAPin) {
  EXPECT_THAT(failure(file("")), HasSubstr("is empty"));
  EXPECT_THAT(failure(file("\n")), HasSubstr("is empty"));
  EXPECT_THAT(failure(file(std::string(256, '1'))), HasSubstr("is too long for a PIN"));
  EXPECT_THAT(failure(file(std::string(100'000, '1'))), HasSubstr("is too long for a PIN"));
  EXPECT_EQ(read(file(std::string(255, '1') + "\r\n")).size(), 255U);
  EXPECT_THAT(failure(directory_.path().string()), HasSubstr("is not a file"));
}

TEST_F(PinSource, SaysWhichFileIsMissing) {
  const std::string path = directory_.path() / "absent.pin";
  EXPECT_EQ(
      failure("file:" + path),
      "cannot read the PIN of token \"web\": " + path +
          ": No such file or directory; write the PIN into it, readable for the user of this program alone");
}

TEST_F(PinSource, DoesNotWaitForAPipeThatNobodyFills) {
  const std::string path = directory_.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(failure(path), HasSubstr("is not a file"));
}

TEST_F(PinSource, IsAnEnvironmentVariable) {
  ::setenv("KEYSTAY_TEST_PIN", "123456", 1);
  EXPECT_EQ(read("env:KEYSTAY_TEST_PIN"), "123456");
  ::unsetenv("KEYSTAY_TEST_PIN");
  EXPECT_EQ(
      failure("env:KEYSTAY_TEST_PIN"),
      "cannot read the PIN of token \"web\": the environment variable KEYSTAY_TEST_PIN is not set (nginx and "
      "others clear it: use file:)");
}

TEST_F(PinSource, IsACredentialOfSystemd) {
  directory_.write("web-pin", "123456\n");
  ::setenv("CREDENTIALS_DIRECTORY", directory_.path().c_str(), 1);
  EXPECT_EQ(read("credential:web-pin"), "123456");
  EXPECT_THAT(failure("credential:other"), HasSubstr("other: No such file or directory"));
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(failure("credential:web-pin"),
            "cannot read the PIN of token \"web\": CREDENTIALS_DIRECTORY is not set; add "
            "LoadCredential=web-pin:/path "
            "to the systemd unit");
}

TEST_F(PinSource, IsAPersonWhoIsAskedForTheTokenByItsLabel) {
  std::string asked;
  const auto answer = [&](std::string_view label) {
    asked = label;
    return pkcs11::Pin("123456");
  };
  EXPECT_EQ(read("prompt", answer), "123456");
  EXPECT_EQ(asked, "web");
  EXPECT_THAT(failure("prompt"), HasSubstr("nobody can be asked here; write file:, env: or credential:"));
}

TEST_F(PinSource, MayBeEmptyForATokenWithoutLogin) {
  EXPECT_TRUE(is_pin_source(""));
  EXPECT_FALSE(pin_reader("", "web", {}));
}

TEST_F(PinSource, IsNothingElseAndAnErrorDoesNotRepeatIt) {
  for (const char* source :
       {"123456", "file:", "file:web.pin", "file://host/web.pin", "web.pin", "env:", "env:A=B",
        "credential:", "credential:a/b", "credential:..", "Prompt", "|cat /web.pin", "exec:cat"}) {
    EXPECT_FALSE(is_pin_source(source)) << source;
    try {
      static_cast<void>(pin_reader(source, "web", {}));
      ADD_FAILURE() << source << " was accepted";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("names no place of a PIN; write \"file:/path\""));
      EXPECT_THAT(error.what(), Not(HasSubstr("123456")));
    }
  }
}

}  // namespace
}  // namespace keystay::config
