#include <sys/stat.h>

#include "native/x509/certificate_bundle.h"
#include "native/x509/pem_reference.h"
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::HasSubstr;

class ExportCertTest : public KeystayTest {};

TEST_F(ExportCertTest, WritesDerUnlessPemIsWanted) {
  make_alias("httpd");
  const std::string der = done({"-exportcert", "-alias", "httpd"});
  const std::string pem = done({"-exportcert", "-rfc", "-alias", "httpd"});
  EXPECT_EQ(test::run_or_throw({"openssl", "x509", "-inform", "DER"}, {.input = der}), pem);
  const auto file = token_.directory().path() / "httpd.crt";
  EXPECT_EQ(done({"-exportcert", "-rfc", "-alias", "httpd", "-file", file}), "");
  EXPECT_EQ(test::read_file(file), pem);
}

TEST_F(ExportCertTest, SaysThatAKeyHasNoCertificate) {
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC"});
  refused(1, testing::Eq("keystay: alias \"bare\" has no certificate; import one with -importcert\n"),
          {"-exportcert", "-alias", "bare"});
}

class ExportRefTest : public KeystayTest {
 protected:
  std::filesystem::path file_ = token_.directory().path() / "httpd.pem";
};

TEST_F(ExportRefTest, NamesTheKeyAndCarriesItsPublicHalf) {
  make_alias("httpd");
  EXPECT_EQ(done({"-exportref", "-alias", "httpd", "-file", file_}), "");
  const pkcs11::Uri uri = x509::decode_pem_reference(test::read_file(file_));
  EXPECT_EQ(uri.token, "web");
  EXPECT_EQ(uri.serial, token_.serial());
  EXPECT_EQ(uri.object, "httpd");
  EXPECT_EQ(uri.id.size(), 20U);
  EXPECT_EQ(uri.type, CK_OBJECT_CLASS{CKO_PRIVATE_KEY});
  EXPECT_EQ(uri.module_path, "");
  EXPECT_EQ(uri.pin_source, "");
  const auto certificate = x509::read_certificates(done({"-exportcert", "-rfc", "-alias", "httpd"})).front();
  EXPECT_EQ(x509::decode_spki_attribute(uri.spki), certificate.public_key);
}

TEST_F(ExportRefTest, IsReadableByAllBecauseItHoldsNoSecret) {
  make_alias("httpd");
  const mode_t before = ::umask(077);
  done({"-exportref", "-alias", "httpd", "-file", file_});
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
}

TEST_F(ExportRefTest, NeedsNoCertificate) {
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC"});
  EXPECT_THAT(done({"-exportref", "-alias", "bare"}),
              testing::StartsWith("-----BEGIN PKCS#11 PROVIDER URI-----\n"));
}

TEST_F(ExportRefTest, LeavesTheOldFileIfTheAliasIsMissing) {
  make_alias("httpd");
  done({"-exportref", "-alias", "httpd", "-file", file_});
  const std::string before = test::read_file(file_);
  refused(1, HasSubstr("alias \"nobody\" does not exist"),
          {"-exportref", "-alias", "nobody", "-file", file_});
  EXPECT_EQ(test::read_file(file_), before);
}

TEST_F(ExportRefTest, HasNothingToReferToInATrustedCertificate) {
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  refused(1, testing::Eq("keystay: alias \"root\" is a trusted certificate and has no private key\n"),
          {"-exportref", "-alias", "root"});
}

}  // namespace
}  // namespace keystay::tools
