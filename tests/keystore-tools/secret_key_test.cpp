// Secret keys by the program, and what they do to files: `openssl cms` and `openssl mac` with the same key
// are the witnesses.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/resource.h>

#include "tests/keystore-tools/keystay_program.h"
#include "tests/keystore-tools/pseudo_terminal.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kKey[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

class SecretKeyTest : public KeystayTest {
 protected:
  SecretKeyTest() { configuration_ = token_.write_configuration("import = \"allow\"\n"); }

  std::string path(const std::string& name) const { return token_.directory().path() / name; }
  static std::string content(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  // The key above under this name, from a file in hexadecimal.
  void import_key(const std::string& alias, const std::string& algorithm) const {
    done({"-importseckey", "-alias", alias, "-keyalg", algorithm, "-hex", "-file",
          write(alias + ".hex", std::string(kKey) + "\n")});
  }
  std::string id_of(const std::string& alias) const {
    const std::string told = done({"-list", "-v", "-alias", alias});
    const std::size_t at = told.find("with id ") + 8;
    return told.substr(at, told.find('\n', at) - at);
  }
  // Some bytes of every value.
  std::string plain(std::size_t size) const {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
    return write("plain", text);
  }
};

TEST_F(SecretKeyTest, AreMadeAndListedInKeytoolsWords) {
  make_alias("httpd");
  const test::Outcome made =
      keystay({"-genseckey", "-alias", "data", "-keyalg", "AES", "-keysize", "256", "-storetype", "Keystay"});
  ASSERT_TRUE(made.ok()) << made;
  EXPECT_THAT(made.error, HasSubstr("Generated alias \"data\" on token \"web\": 256-bit AES key\n"));
  done({"genseckey", "--keyalg", "HmacSHA256"});
  const std::string list = done({"-list"});
  EXPECT_THAT(list, AllOf(HasSubstr("Your keystore contains 3 entries"),
                          HasSubstr("\ndata, SecretKeyEntry, 256-bit AES key\n"),
                          HasSubstr("\nmykey, SecretKeyEntry, 256-bit HmacSHA256 key\n")));
  EXPECT_THAT(
      done({"-list", "-v", "-alias", "data"}),
      ContainsRegex(
          "Alias name: data\nEntry type: SecretKeyEntry\nKey: 256-bit AES key with id [0-9a-f]{40}\n"));
  EXPECT_THAT(done({"-list", "-o", "json"}), HasSubstr("\"alias\":\"data\",\"type\":\"SecretKeyEntry\""));
  EXPECT_THAT(
      token_.pkcs11_tool({"--list-objects", "--type", "secrkey"}),
      AllOf(HasSubstr("AES length 32"), HasSubstr("never extractable"), HasSubstr("label:      data")));
}

TEST_F(SecretKeyTest, AreRenamedDeactivatedAuditedAndDeleted) {
  done({"-genseckey", "-alias", "data", "-keyalg", "AES"});
  done({"-changealias", "-alias", "data", "-destalias", "files"});
  done({"deactivate", "-alias", "files"});
  EXPECT_THAT(done({"-list"}),
              AllOf(HasSubstr("deactivated-files, SecretKeyEntry"), HasSubstr("Not served:")));
  refused(1, HasSubstr("alias \"files\" is deactivated"),
          {"encrypt", "-alias", "files", "-in", plain(10), "-out", path("out")});
  done({"activate", "-alias", "files"});
  const test::Outcome audit = keystay({"audit"});
  EXPECT_TRUE(audit.ok()) << audit;
  EXPECT_THAT(audit.output, ContainsRegex("files +active +256-bit AES key +token +yes +no +"));
  import_key("brought", "AES");
  EXPECT_THAT(keystay({"audit"}).output, HasSubstr("alias \"brought\": it was made elsewhere"));
  EXPECT_THAT(keystay({"-delete", "-alias", "files", "-dry-run"}).error,
              HasSubstr("alias \"files\" would be destroyed"));
  done({"-delete", "-alias", "files"});
  done({"-delete", "-alias", "brought"});
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(SecretKeyTest, OfWrongSizesNamesAndUsesAreRefused) {
  make_alias("httpd");
  done({"-genseckey", "-alias", "data", "-keyalg", "AES"});
  done({"-genseckey", "-alias", "mac", "-keyalg", "HmacSHA256"});
  const std::string file = plain(10);
  refused(2, HasSubstr("128, 192 or 256 bits"),
          {"-genseckey", "-alias", "a", "-keyalg", "AES", "-keysize", "64"});
  refused(2, HasSubstr("no algorithm of secret keys"), {"-genseckey", "-alias", "a", "-keyalg", "DES"});
  refused(2, HasSubstr("-keyalg"), {"-genseckey", "-alias", "a"});
  refused(1, HasSubstr("already exists"), {"-genseckey", "-alias", "HTTPD", "-keyalg", "AES"});
  refused(1, HasSubstr("already exists as a secret key"), {"-genkeypair", "-alias", "Data", "-keyalg", "EC"});
  refused(1, HasSubstr("is a secret key"), {"-certreq", "-alias", "data", "-dname", "CN=a"});
  refused(1, HasSubstr("is a secret key"), {"-exportcert", "-alias", "data"});
  refused(1, HasSubstr("is a key pair"), {"encrypt", "-alias", "httpd", "-in", file, "-out", path("out")});
  refused(1, HasSubstr("under AES keys"), {"encrypt", "-alias", "mac", "-in", file, "-out", path("out")});
  refused(1, HasSubstr("makes no MACs"), {"mac", "-alias", "data", "-in", file});
  refused(1, HasSubstr("for HmacSHA256 alone"),
          {"mac", "-alias", "mac", "-macalg", "HmacSHA512", "-in", file});
  refused(1, HasSubstr("cannot read"),
          {"encrypt", "-alias", "data", "-in", path("absent"), "-out", path("out")});
  refused(2, HasSubstr("one file"), {"encrypt", "-alias", "data", "-in", file, "-out", file});
  refused(2, HasSubstr("regular file"), {"decrypt", "-alias", "data", "-in", file, "-out", "/dev/null"});
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

TEST_F(SecretKeyTest, ComeFromAFileOrATerminalByTheImportPolicy) {
  const std::string bytes = write("key.bin", std::string("0123456789abcdef"));
  done({"-importseckey", "-alias", "bytes", "-keyalg", "AES", "-file", bytes});
  EXPECT_THAT(done({"-list", "-alias", "bytes"}), HasSubstr("128-bit AES key"));
  PseudoTerminal terminal({keystay_program(), "-importseckey", "-alias", "typed", "-keyalg", "AES"},
                          {{"KEYSTAY_CONF", configuration_}});
  ASSERT_TRUE(terminal.wait_for_text("Secret key in hexadecimal:"));
  terminal.wait_for_echo(false);
  terminal.type(std::string(kKey) + "\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_THAT(terminal.screen(), Not(HasSubstr("0001020304")));
  EXPECT_THAT(done({"-list", "-alias", "typed"}), HasSubstr("256-bit AES key"));
  refused(1, AllOf(HasSubstr("no hexadecimal digit"), Not(HasSubstr("01xx"))),
          {"-importseckey", "-alias", "a", "-keyalg", "AES", "-hex", "-file", write("bad", "01xx")});
  refused(1, HasSubstr("odd number"),
          {"-importseckey", "-alias", "a", "-keyalg", "AES", "-hex", "-file", write("odd", "012")});
  refused(1, HasSubstr("128, 192 or 256 bits, not 136"),
          {"-importseckey", "-alias", "a", "-keyalg", "AES", "-file", write("long", "0123456789abcdefX")});
  configuration_ = token_.write_configuration();
  refused(1, HasSubstr("import = \"allow\""),
          {"-importseckey", "-alias", "a", "-keyalg", "AES", "-file", bytes});
}

TEST_F(SecretKeyTest, EncryptWhatOpensslDecryptsAndTheOtherWayRound) {
  import_key("kek", "AES");
  const std::string id = id_of("kek");
  for (const std::size_t size : {std::size_t{1}, std::size_t{65'536}, std::size_t{300'001}}) {
    SCOPED_TRACE(size);
    const std::string file = plain(size);
    done({"encrypt", "-alias", "kek", "-in", file, "-out", path("ours.cms")});
    test::run_or_throw({"openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", path("ours.cms"),
                        "-secretkey", kKey, "-secretkeyid", id, "-out", path("theirs")});
    EXPECT_EQ(content(path("theirs")), content(file));
    for (const test::Arguments& form :
         {test::Arguments{"-aes-256-gcm"}, {"-aes-128-gcm", "-stream"}, {"-aes-192-gcm", "-stream"}}) {
      test::Arguments command{"openssl",    "cms",      "-encrypt",     "-binary", "-in",
                              file,         "-outform", "DER",          "-out",    path("openssl.cms"),
                              "-secretkey", kKey,       "-secretkeyid", "0102"};
      command.insert(command.end(), form.begin(), form.end());
      test::run_or_throw(command);
      done({"decrypt", "-alias", "kek", "-in", path("openssl.cms"), "-out", path("ours")});
      EXPECT_EQ(content(path("ours")), content(file)) << form.front();
    }
  }
  EXPECT_EQ(std::filesystem::status(path("ours")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(SecretKeyTest, LeaveNothingOfAFileThatWasChangedOrIsForAnotherKey) {
  done({"-genseckey", "-alias", "kek", "-keyalg", "AES"});
  done({"-genseckey", "-alias", "other", "-keyalg", "AES"});
  done({"-genseckey", "-alias", "short", "-keyalg", "AES", "-keysize", "128"});
  done({"encrypt", "-alias", "kek", "-in", plain(200'000), "-out", path("file.cms")});
  const std::string whole = content(path("file.cms"));
  const auto expect_refused = [&](const std::string& what, const std::string& alias,
                                  const std::string& text) {
    refused(1, HasSubstr(what),
            {"decrypt", "-alias", alias, "-in", write("bad.cms", text), "-out", path("out")});
    for (const auto& file : std::filesystem::directory_iterator(token_.directory().path()))
      EXPECT_THAT(file.path().filename().string(), Not(HasSubstr("out")));
  };
  std::string changed = whole;
  changed[100'000] ^= 1;
  expect_refused("its tag is wrong", "kek", changed);
  expect_refused("ends too early", "kek", whole.substr(0, whole.size() - 30));
  expect_refused("something follows it", "kek", whole + "x");
  expect_refused("is not the key", "other", whole);
  expect_refused("is not the key", "short", whole);
  expect_refused("AuthEnvelopedData", "kek", "-----BEGIN CMS-----\n");
  write("out", "what was there before");
  refused(1, HasSubstr("its tag is wrong"),
          {"decrypt", "-alias", "kek", "-in", write("bad.cms", changed), "-out", path("out")});
  EXPECT_EQ(content(path("out")), "what was there before");
}

TEST_F(SecretKeyTest, MakeTheMacsThatOpensslMakes) {
  import_key("mac", "HmacSHA256");
  const std::string file = plain(300'001);
  std::string expected = test::run_or_throw(
      {"openssl", "mac", "-digest", "SHA256", "-macopt", std::string("hexkey:") + kKey, "-in", file, "HMAC"});
  std::ranges::transform(expected, expected.begin(), [](unsigned char c) { return std::tolower(c); });
  EXPECT_EQ(done({"mac", "-alias", "mac", "-in", file}), expected);
  EXPECT_EQ(done({"mac", "-alias", "mac"}, {.input = content(file)}), expected);
  done({"mac", "-alias", "mac", "-in", file, "-out", path("file.mac")});
  EXPECT_EQ(content(path("file.mac")), expected);
  done({"verify-mac", "-alias", "mac", "-in", file, "-macfile", path("file.mac")});
  refused(1, HasSubstr("is not that of"),
          {"verify-mac", "-alias", "mac", "-in", path("mac.hex"), "-macfile", path("file.mac")});
  refused(1, HasSubstr("is not that of"), {"verify-mac", "-alias", "mac", "-in", file, "-mac", "00"});
  refused(2, HasSubstr("hexadecimal"), {"verify-mac", "-alias", "mac", "-in", file, "-mac", "xyz"});
  refused(2, HasSubstr("-macfile"), {"verify-mac", "-alias", "mac", "-in", file});
}

TEST_F(SecretKeyTest, TakeNoMoreMemoryForALongFile) {
  constexpr std::uintmax_t kLong = std::uintmax_t{128} << 20U;
  done({"-genseckey", "-alias", "kek", "-keyalg", "AES"});
  done({"-genseckey", "-alias", "mac", "-keyalg", "HmacSHA256"});
  // The most that a program has taken which this process has waited for, in KiB.
  const auto most = [] {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return static_cast<std::uintmax_t>(usage.ru_maxrss);
  };
  const std::string file = write("long", "short");
  const auto use = [&] {
    done({"encrypt", "-alias", "kek", "-in", file, "-out", path("long.cms")});
    done({"decrypt", "-alias", "kek", "-in", path("long.cms"), "-out", path("again")});
    done({"mac", "-alias", "mac", "-in", file});
  };
  use();
  const std::uintmax_t for_short = most();
  std::filesystem::resize_file(file, kLong);
  use();
  EXPECT_EQ(std::filesystem::file_size(path("again")), kLong);
  EXPECT_LT(most() - for_short, kLong / 1024 / 4);
}

}  // namespace
}  // namespace keystay::tools
