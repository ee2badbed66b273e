// Keys that were made in software, brought to a token: from files that OpenSSL and the JDK have written.
#include <filesystem>

#include "native/config/key_store_file.h"
#include "tests/keystore-tools/key_files.h"
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class ImportKeyStoreTest : public KeystayTest {
 protected:
  ImportKeyStoreTest() { configuration_ = token_.write_configuration("import = \"allow\"\n"); }

  // The public key by which a request of the alias is signed.
  std::string public_key_of(const std::string& alias) const {
    return test::run_or_throw({"openssl", "req", "-noout", "-verify", "-pubkey"},
                              {.input = done({"-certreq", "-alias", alias, "-dname", "CN=a"})});
  }
  // That of a file.
  std::string public_key_in(const std::string& key) const {
    return test::run_or_throw({"openssl", "pkey", "-in", key, "-pubout"});
  }
  std::string private_key_objects() const {
    return token_.pkcs11_tool({"--list-objects", "--type", "privkey"});
  }

  KeyFiles files_{token_.directory()};
};

TEST_F(ImportKeyStoreTest, BringsEachKindOfKeyWithItsChainFromPkcs12) {
  for (const std::string kind : {"rsa", "ec", "ed25519"}) {
    const SoftwareChain made = files_.chain(kind, ca_);
    const test::Outcome outcome =
        keystay({"-importkeystore", "-srckeystore", files_.pkcs12(made, kind), "-srcstorepass:file",
                 files_.password_file(), "-srcstoretype", "PKCS12", "-noprompt"});
    ASSERT_TRUE(outcome.ok()) << outcome;
    EXPECT_THAT(outcome.error, HasSubstr("Entry for alias " + kind + " successfully imported.\n"));
    EXPECT_EQ(public_key_of(kind), public_key_in(made.key));
    EXPECT_THAT(done({"-list", "-v", "-alias", kind}), HasSubstr("Certificate chain length: 2\n"));
  }
}

// For ever: the token tells that it was elsewhere before.
TEST_F(ImportKeyStoreTest, MakesTheKeySensitiveAndNotExtractable) {
  const SoftwareChain made = files_.chain("ec", ca_);
  done({"-importkeystore", "-srckeystore", made.key, "-srccerts", made.certificates, "-destalias", "httpd"});
  const std::string key = private_key_objects();
  EXPECT_THAT(key, HasSubstr("sensitive"));
  EXPECT_THAT(key, Not(HasSubstr("extractable")));
  EXPECT_THAT(key, Not(HasSubstr("always sensitive")));
  EXPECT_THAT(key, Not(HasSubstr("local")));
  EXPECT_THAT(objects(), SizeIs(4)) << "key pair, leaf, intermediate";
}

TEST_F(ImportKeyStoreTest, ReadsEveryFormOfAPrivateKey) {
  const SoftwareChain made = files_.chain("rsa", ca_);
  for (const std::string& file : files_.all_forms(made)) {
    SCOPED_TRACE(file);
    done({"-importkeystore", "-srckeystore", file, "-srccerts", made.certificates, "-srcstorepass:file",
          files_.password_file(), "-destalias", "httpd"});
    EXPECT_EQ(public_key_of("httpd"), public_key_in(made.key));
    done({"-delete", "-alias", "httpd"});
    EXPECT_THAT(objects(), IsEmpty());
  }
}

TEST_F(ImportKeyStoreTest, TakesAKeyWithoutACertificateAndSaysSo) {
  const SoftwareChain made = files_.chain("ec", ca_);
  const test::Outcome outcome =
      keystay({"-importkeystore", "-srckeystore", made.key, "-srcstoretype", "PKCS8", "-destalias", "bare"});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("note: there is no certificate for \"bare\""));
  done({"-importcert", "-alias", "bare", "-file", made.certificates});
  EXPECT_THAT(done({"-list", "-v", "-alias", "bare"}), HasSubstr("Certificate chain length: 2\n"));
}

TEST_F(ImportKeyStoreTest, ChoosesAnEntryByItsNameAndGivesItAnother) {
  const std::string file = files_.pkcs12_of_jdk({"first", "Second"});
  const test::Arguments source{"-importkeystore", "-srckeystore", file, "-srcstorepass:file",
                               files_.password_file()};
  auto one = source;
  one.insert(one.end(), {"-srcalias", "SECOND", "-destalias", "httpd"});
  done(one);
  EXPECT_THAT(done({"-list"}), AllOf(HasSubstr("httpd, "), HasSubstr("contains 1 entry")));
  auto unknown = source;
  unknown.insert(unknown.end(), {"-srcalias", "third"});
  refused(1, AllOf(HasSubstr("alias \"third\" does not exist in "), HasSubstr("first, second")), unknown);
  auto both = source;
  both.insert(both.end(), {"-destalias", "x"});
  refused(2, HasSubstr("choose one with -srcalias"), both);
}

// As keytool: each entry for itself, a sum at the end. What is there already is not overwritten.
TEST_F(ImportKeyStoreTest, BringsAllEntriesAndSaysWhichItDidNot) {
  const std::string file = files_.pkcs12_of_jdk({"first", "second"});
  make_alias("first");
  const test::Outcome outcome = keystay(
      {"-importkeystore", "-srckeystore", file, "-srcstorepass:file", files_.password_file(), "-noprompt"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(
      outcome.error,
      AllOf(HasSubstr("Problem importing entry for alias first: alias \"first\" already exists"),
            HasSubstr("Entry for alias first not imported.\n"),
            HasSubstr("Entry for alias second successfully imported.\n"),
            HasSubstr("Import command completed:  1 entries successfully imported, 1 entries failed or "
                      "cancelled\n")));
  EXPECT_THAT(done({"-list"}), HasSubstr("contains 2 entries"));
}

TEST_F(ImportKeyStoreTest, IsRefusedWhereTheConfigurationDoesNotAllowIt) {
  configuration_ = token_.write_configuration();
  const SoftwareChain made = files_.chain("ec", ca_);
  refused(1,
          AllOf(HasSubstr("token \"web\" takes no keys that were made elsewhere"),
                HasSubstr("import = \"allow\"")),
          {"-importkeystore", "-srckeystore", made.key, "-destalias", "httpd"});
}

TEST_F(ImportKeyStoreTest, IsRefusedBeforeAnythingIsWritten) {
  const SoftwareChain made = files_.chain("ec", ca_);
  const SoftwareChain other = files_.chain("rsa", ca_);
  const std::string p12 = files_.pkcs12(made, "httpd");
  const std::string wrong = write("wrong.pass", "not it");
  std::filesystem::permissions(wrong, std::filesystem::perms::owner_read);
  const auto import = [](test::Arguments more) {
    more.insert(more.begin(), "-importkeystore");
    return more;
  };
  refused(1, HasSubstr("the password is not that of the file"),
          import({"-srckeystore", p12, "-srcstorepass:file", wrong}));
  refused(1, HasSubstr("nobody can be asked for its password; write -srcstorepass:file FILE"),
          import({"-srckeystore", p12}));
  refused(1, HasSubstr("fits none of the certificates beside it"),
          import({"-srckeystore", made.key, "-srccerts", other.certificates, "-destalias", "x"}));
  refused(1, HasSubstr("it is neither PKCS12 nor PEM nor a private key"),
          import({"-srckeystore", write("text", "hello"), "-destalias", "x"}));
  refused(1, HasSubstr("cannot read /nonexistent: No such file"), import({"-srckeystore", "/nonexistent"}));
  refused(1, HasSubstr("keytool -importkeystore -srckeystore"),
          import({"-srckeystore", write("old.jks", "\xfe\xed\xfe\xed")}));
  refused(1, HasSubstr("whose keys are on a token already"),
          import({"-srckeystore",
                  write("keys.ks", config::format_key_store({"web", config::KeyStoreScope::all, {}, {}}))}));
  refused(1, HasSubstr("not of the type that -srcstoretype names"),
          import({"-srckeystore", p12, "-srcstoretype", "PEM"}));
  refused(1, HasSubstr("there is no private key in it"),
          import({"-srckeystore", made.certificates, "-destalias", "x"}));
  refused(1, HasSubstr("it has 2 private keys"),
          import({"-srckeystore", write("two.pem", test::read_file(made.key) + test::read_file(other.key)),
                  "-destalias", "x"}));
  refused(2, HasSubstr("has no name; give it one with -destalias"), import({"-srckeystore", made.key}));
  refused(2, HasSubstr("cannot be an alias"), import({"-srckeystore", made.key, "-destalias", "issuer-1"}));
  refused(2, HasSubstr("a private key does not leave its token"),
          import({"-srckeystore", p12, "-deststoretype", "PKCS12"}));
  refused(2, HasSubstr("-srckeystore is required"), import({"-destalias", "x"}));
  refused(2, HasSubstr("a password is given twice"),
          import({"-srckeystore", p12, "-srcstorepass", "x", "-srcstorepass:file", wrong}));
  refused(2, HasSubstr("-srcstorepass stands twice"),
          import({"-srckeystore", p12, "-srcstorepass", "x", "-srcstorepass", "y"}));
  refused(2, HasSubstr("-srcstorepass is an option of -importkeystore"), {"-list", "-srcstorepass", "x"});
  refused(2, HasSubstr("expected PKCS12, PEM or PKCS8"),
          import({"-srckeystore", p12, "-srcstoretype", "Windows-MY"}));
}

TEST_F(ImportKeyStoreTest, TakesAPasswordOfTheCommandLineWithAWarning) {
  const SoftwareChain made = files_.chain("ec", ca_);
  const test::Outcome outcome = keystay(
      {"-importkeystore", "-srckeystore", files_.pkcs12(made, "httpd"), "-srcstorepass", files_.password()});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("use -srcstorepass:file FILE"));
  EXPECT_THAT(outcome.error, Not(HasSubstr(files_.password())));
}

TEST_F(ImportKeyStoreTest, RefusesAKeyThatIsThereUnderAnotherName) {
  const SoftwareChain made = files_.chain("ec", ca_);
  done({"-importkeystore", "-srckeystore", made.key, "-destalias", "first"});
  refused(1, HasSubstr("this key is on the token already, as alias \"first\""),
          {"-importkeystore", "-srckeystore", made.key, "-destalias", "second"});
}

// RC2 of 40 bits, as Windows and the JDK wrote it until 2021.
TEST_F(ImportKeyStoreTest, ReadsTheCiphersOfOldFilesOrSaysWhatToInstall) {
  const std::string file = files_.pkcs12_of_jdk({"httpd"}, {"-J-Dkeystore.pkcs12.legacy"});
  const test::Arguments command{"-importkeystore", "-srckeystore", file, "-srcstorepass:file",
                                files_.password_file()};
  refused(1, AllOf(HasSubstr("openssl-provider-legacy"), HasSubstr("openssl pkcs12 -legacy")), command,
          {.environment = {{"OPENSSL_MODULES", token_.directory().path().string()}}});
  done(command);
  EXPECT_THAT(done({"-list", "-v"}), HasSubstr("Owner: CN=httpd"));
}

TEST_F(ImportKeyStoreTest, MakesTheKeyStoreFileOfKeytoolsOptions) {
  const SoftwareChain made = files_.chain("ec", ca_);
  const auto file = token_.directory().path() / "new.ks";
  done({"-importkeystore", "-srckeystore", files_.pkcs12(made, "Httpd"), "-srcstorepass:env", "P",
        "-destkeystore", file, "-deststoretype", "Keystay", "-deststorepass:file", token_.pin_file(),
        "-destprovidername", "Keystay", "-noprompt", "-J-Xmx64m"},
       {.environment = {{"P", files_.password()}}});
  EXPECT_EQ(config::read_key_store(file).scope, config::KeyStoreScope::all);
  EXPECT_THAT(done({"-list"}), HasSubstr("httpd, "));
}

TEST_F(ImportKeyStoreTest, OnlySaysWhatItWouldDo) {
  const SoftwareChain made = files_.chain("ec", ca_);
  const auto before = objects();
  EXPECT_EQ(
      done({"-importkeystore", "-srckeystore", made.key, "-srccerts", made.certificates, "-destalias",
            "httpd", "-dry-run"}),
      "alias \"httpd\" would be imported to token \"web\": EC (P-256) key, certificate chain length 2\n");
  EXPECT_EQ(objects(), before);
}

}  // namespace
}  // namespace keystay::tools
