// What answers challenges: the server of its own, a web server's files, and hooks.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "keystore-tools/acme/challenge_server.h"
#include "keystore-tools/acme/dns_hook.h"
#include "keystore-tools/acme/hook.h"
#include "keystore-tools/acme/webroot.h"
#include "keystore-tools/failure.h"
#include "native/config/file.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace keystay::tools::acme {
namespace {

using testing::HasSubstr;

const ChallengeResponse kResponse{{IdentifierType::dns, "www.example"}, "tok-en_1", "tok-en_1.thumb"};

std::string program(const test::TemporaryDirectory& directory, const std::string& text) {
  const std::filesystem::path file = directory.path() / "hook";
  config::replace_file(file, "#!/bin/sh\n" + text, 0755);
  return file;
}

class ChallengeServerTest : public testing::Test {
 protected:
  // What curl sees of it, with the status on a line of its own.
  [[nodiscard]] std::string ask(const std::string& path, const test::Arguments& more = {}) const {
    test::Arguments arguments{"curl",           "--silent",
                              "--max-time",     "60",
                              "--path-as-is",   "--unix-socket",
                              socket_,          "--write-out",
                              "\n%{http_code}", "http://www.example" + path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run(arguments).output;
  }

  test::TemporaryDirectory directory_;
  std::string socket_ = directory_.path() / "acme.sock";
};

TEST_F(ChallengeServerTest, ShowsWhatIsPublishedUntilItIsWithdrawn) {
  ChallengeServer server("unix:" + socket_);
  const std::string path = "/.well-known/acme-challenge/tok-en_1";
  EXPECT_EQ(ask(path), "\n404");
  server.publish(kResponse);
  EXPECT_EQ(ask(path), "tok-en_1.thumb\n200");
  EXPECT_EQ(ask(path, {"--head", "--output", "/dev/null"}), "\n200");
  EXPECT_EQ(ask(path, {"--request", "POST"}), "\n404");
  EXPECT_EQ(ask("/tok-en_1"), "\n404");
  EXPECT_EQ(ask(path + "/"), "\n404");
  EXPECT_EQ(ask("/.well-known/acme-challenge/../acme-challenge/tok-en_1"), "\n404");
  server.withdraw(kResponse);
  EXPECT_EQ(ask(path), "\n404");
}

// keystay-tlsd, which passes challenges on, is another user.
TEST_F(ChallengeServerTest, HasASocketThatEverybodyMayUseAndThatGoesWithIt) {
  std::ofstream(socket_ + ".old");
  {
    const ChallengeServer server("unix:" + socket_);
    struct stat status {};
    ASSERT_EQ(::stat(socket_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0666U);
  }
  EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(ChallengeServerTest, TakesNoOtherFilesPlace) {
  std::ofstream(socket_) << "mine";
  EXPECT_THROW(ChallengeServer("unix:" + socket_), Failure);
  EXPECT_EQ(config::read_file(socket_), "mine");
}

TEST_F(ChallengeServerTest, RefusesAnAddressOfAnotherForm) {
  for (const char* address : {"", "localhost:80", "70000", "unix:relative", ":80", "-1"})
    EXPECT_THROW(require_challenge_address(address), UsageError) << address;
  for (const char* address : {"80", "127.0.0.1:8402", "[::1]:8402", "unix:/run/acme.sock"})
    EXPECT_NO_THROW(require_challenge_address(address)) << address;
}

TEST(Webroot, HasAFileUntilItIsWithdrawn) {
  const test::TemporaryDirectory directory;
  Webroot webroot(directory.path());
  const std::filesystem::path file = directory.path() / ".well-known" / "acme-challenge" / "tok-en_1";
  webroot.publish(kResponse);
  EXPECT_EQ(config::read_file(file), "tok-en_1.thumb");
  webroot.withdraw(kResponse);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_THROW(Webroot(directory.path() / "nothing"), Failure);
}

// RFC 8555, section 8.4: the digest of the key authorization.
TEST(DnsHook, GetsNameAndValueAsArgumentsWithoutAShell) {
  const test::TemporaryDirectory directory;
  const std::string log = directory.path() / "log";
  DnsHook hook(
      {program(directory, "printf '%s\\n' \"$#\" \"$@\" \"$KEYSTAY_ACME_DOMAIN\" >>" + log + "\n"), {}});
  const ChallengeResponse response{{IdentifierType::dns, "$(id);`id`"}, "t", "t.x"};
  hook.publish(response);
  hook.withdraw(response);
  const std::string value =
      "_acme-challenge.$(id);`id`\nUVLxQWLcHz8Z2XulQMkIPuNlOaaPXr19kevx3BOOHBM\n$(id);`id`\n";
  EXPECT_EQ(config::read_file(log), "3\nadd\n" + value + "3\nremove\n" + value);
}

TEST(Hook, GetsTheEnvironmentWithoutWhatPinsAreReadFrom) {
  const test::TemporaryDirectory directory;
  const std::string log = directory.path() / "log";
  ::setenv("HOOK_TEST_PIN", "123456", 1);
  ::setenv("HOOK_TEST_PINS", "kept", 1);
  run_hook(
      {program(directory, "env >" + log + "\nls /proc/self/fd | wc -l >>" + log + "\n"), {"HOOK_TEST_PIN"}},
      {}, {"KEYSTAY_ACME_ALIAS=httpd"});
  const std::string seen = config::read_file(log);
  EXPECT_THAT(seen, testing::Not(HasSubstr("HOOK_TEST_PIN=")));
  EXPECT_THAT(seen, HasSubstr("HOOK_TEST_PINS=kept"));
  EXPECT_THAT(seen, HasSubstr("KEYSTAY_ACME_ALIAS=httpd"));
}

TEST(Hook, ThatFailsSaysHow) {
  const test::TemporaryDirectory directory;
  const auto failure = [&](const std::string& text) {
    try {
      run_hook({program(directory, text), {}}, {"add"}, {});
      return std::string("done");
    } catch (const Failure& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(failure("exit 3\n"), HasSubstr("/hook add ended with code 3"));
  EXPECT_THAT(failure("kill -TERM $$\n"), HasSubstr("was ended by signal 15"));
  EXPECT_EQ(failure("exit 0\n"), "done");
  EXPECT_THROW(require_executable(directory.path() / "nothing", "-dns-hook"), UsageError);
  EXPECT_THROW(require_executable("hook", "-dns-hook"), UsageError);
}

}  // namespace
}  // namespace keystay::tools::acme
