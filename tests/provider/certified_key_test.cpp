// Keys whose public half the token does not show by itself: their certificates do (pitfalls 39 and 40), or a
// label, if they are theirs.
#include <memory>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tests/provider/openssl_program.h"
#include "tests/provider/signing.h"
#include "tests/provider/signing_job.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CertifiedKeyTest : public OpensslProgramTest {
 protected:
  CertifiedKeyTest() : OpensslProgramTest(std::vector<std::string>{}) {}

  static void generate(const std::string& label, const std::string& type, const std::string& id) {
    token().pkcs11_tool({"--keypairgen", "--key-type", type, "--label", label, "--id", id});
  }
  // A certificate for the key `of`, stored with this label and CKA_ID.
  static void certify(const std::string& of, const std::string& label, const std::string& id) {
    const Outcome made = openssl({"req", "-x509", "-new", "-key", "keystay:" + of, "-subj", "/CN=" + of,
                                  "-outform", "DER", "-out", path("certificate.der")});
    ASSERT_TRUE(made.ok()) << made;
    token().pkcs11_tool(
        {"--write-object", path("certificate.der"), "--type", "cert", "--label", label, "--id", id});
  }
  // libp11, the witness of other tests, cannot read a token that has such keys.
  static EvpPkey exported(const std::string& label) {
    const Outcome made = openssl({"pkey", "-in", "keystay:" + label, "-pubout"});
    EXPECT_TRUE(made.ok()) << made;
    const x509::InputOutput bio(BIO_new_mem_buf(made.output.data(), static_cast<int>(made.output.size())));
    return EvpPkey(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  }
  static void delete_public_key(const std::string& label) {
    token().pkcs11_tool({"--delete-object", "--type", "pubkey", "--label", label});
  }

  LibraryContext context_;
  Bytes message_ = bytes_of("certified");
};

TEST_F(CertifiedKeyTest, TheCertificateShowsThePublicHalf) {
  int id = 40;
  for (const std::string type : {"EC:prime256v1", "EC:secp384r1", "rsa:2048"}) {
    const std::string label = "of-" + type.substr(0, type.find(':')) + std::to_string(id);
    generate(label, type, std::to_string(id));
    const EvpPkey peer = exported(label);
    certify(label, label, std::to_string(id++));
    delete_public_key(label);
    for (const std::string& pem : {std::string(), bare_reference(label)}) {
      const EvpPkey key = pem.empty() ? context_.load("keystay:" + label) : context_.read_pem(pem);
      ASSERT_TRUE(key) << label << take_errors();
      EXPECT_EQ(EVP_PKEY_eq(key.get(), peer.get()), 1) << label;
      const auto signature = sign(context_, key.get(), "SHA256", message_);
      ASSERT_TRUE(signature) << label << take_errors();
      EXPECT_TRUE(verifies(peer.get(), "SHA256", message_, *signature)) << label;
    }
    const Outcome request =
        openssl({"req", "-new", "-key", "keystay:" + label, "-subj", "/CN=again", "-out", path("again.csr")});
    EXPECT_TRUE(request.ok()) << label << request;
    EXPECT_TRUE(run({"openssl", "req", "-in", path("again.csr"), "-noout", "-verify"}).ok()) << label;
  }
}

TEST_F(CertifiedKeyTest, ACertificateOfAnotherKeyIsRefusedInOneLine) {
  generate("right", "EC:prime256v1", "50");
  certify("ec", "right", "50");
  delete_public_key("right");
  EXPECT_FALSE(context_.load("keystay:right"));
  const std::string errors = take_errors();
  EXPECT_THAT(errors,
              AllOf(HasSubstr("the certificate with the CKA_ID of alias \"right\" on token \"web\" is "
                              "not that key's"),
                    HasSubstr("store the right one")));
  EXPECT_EQ(keystay_entries(errors), 1) << errors;
  EXPECT_FALSE(context_.read_pem(bare_reference("right")));
  EXPECT_THAT(take_errors(), HasSubstr("is not that key's"));

  const Outcome listing = openssl({"storeutl", "-noout", "pkcs11:token=web"});
  EXPECT_EQ(listing.exit_code, 0) << "one such key hides all others" << listing;
}

class CertifiedKeyInAJobTest : public CertifiedKeyTest {
 protected:
  // A job that loads a new key, which only its certificate shows, once more: the module has found its token.
  [[nodiscard]] std::unique_ptr<SigningJob> loading(const std::string& label, const std::string& id) const {
    generate(label, "EC:prime256v1", id);
    certify(label, label, id);
    delete_public_key(label);
    EXPECT_TRUE(context_.load("keystay:" + label)) << take_errors();
    return std::make_unique<SigningJob>(
        [this, reference = bare_reference(label)] { return context_.read_pem(reference) != nullptr; });
  }
};

TEST_F(CertifiedKeyInAJobTest, LoadsWithoutAPause) {
  const auto job = loading("right", "52");
  EXPECT_EQ(job->resume(), ASYNC_FINISH);
  EXPECT_TRUE(job->succeeded()) << take_errors();
}

// Nor does the token's refusal look like a certificate of another key.
TEST_F(CertifiedKeyInAJobTest, ARefusalIsNoPauseEither) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer does not know a job's stack, which an exception unwinds";
#endif
  const auto refused = loading("refused", "53");
  faults().fail(Function::C_Sign, CKR_DATA_LEN_RANGE);
  EXPECT_EQ(refused->resume(), ASYNC_FINISH);
  EXPECT_FALSE(refused->succeeded());
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("CKR_DATA_LEN_RANGE"), Not(HasSubstr("is not that key's"))));
}

TEST_F(CertifiedKeyTest, ALabelShowsThePublicHalfOfAKeyWithoutAnId) {
  token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "bare"});
  const EvpPkey key = context_.load("keystay:bare");
  ASSERT_TRUE(key) << take_errors();
  const auto signature = sign(context_, key.get(), "SHA256", message_);
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(exported("bare").get(), "SHA256", message_, *signature));

  const Outcome other =
      openssl({"pkey", "-in", "keystay:ec", "-pubout", "-outform", "DER", "-out", path("other.der")});
  ASSERT_TRUE(other.ok()) << other;
  delete_public_key("bare");
  token().pkcs11_tool({"--write-object", path("other.der"), "--type", "pubkey", "--label", "bare"});
  EXPECT_FALSE(context_.load("keystay:bare"));
  EXPECT_THAT(take_errors(),
              HasSubstr("the public key object with the label of alias \"bare\" on token \"web\" is "
                        "not that key's; give the key"));
  token().pkcs11_tool({"--delete-object", "--type", "privkey", "--label", "bare"});
  delete_public_key("bare");
}

TEST_F(CertifiedKeyTest, AKeyThatMayNotSignIsTakenAsItIs) {
  generate("agrees", "EC:prime256v1", "51");
  certify("ec", "agrees", "51");
  delete_public_key("agrees");
  for (const char* caller : {"wait", "leave"}) {
    configure(std::string("hung-calls = \"") + caller + "\"\n");
    const LibraryContext context;
    faults().fail(Function::C_SignInit, CKR_KEY_FUNCTION_NOT_PERMITTED);
    EXPECT_TRUE(context.load("keystay:agrees")) << caller << take_errors();
  }
}

TEST_F(CertifiedKeyTest, AKeyWithItsPublicKeyObjectIsNotAskedToSignWhenItIsLoaded) {
  faults().reset_calls();
  ASSERT_TRUE(context_.load("keystay:ec")) << take_errors();
  EXPECT_EQ(faults().calls(Function::C_SignInit), 0u);
}

}  // namespace
}  // namespace keystay::test
