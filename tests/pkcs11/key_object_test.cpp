// What a key object tells of itself.
#include "native/pkcs11/key_object.h"

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KeyObjectTest : public TokenTest {
 protected:
  std::vector<KeyObject> private_keys() {
    std::vector<KeyObject> keys;
    token_->with_session([&](Session& session) {
      keys = read_keys(session, std::move(Template().number(CKA_CLASS, CKO_PRIVATE_KEY)));
    });
    return keys;
  }

  std::shared_ptr<Token> token_ = token();
};

TEST_F(KeyObjectTest, TellsWhatItMayBeUsedWith) {
  EXPECT_THAT(private_keys().at(0).allowed_mechanisms, IsEmpty()) << "a key without restriction";
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "pss", "--id", "09",
                    "--allowed-mechanisms", "RSA-PKCS-PSS,SHA256-RSA-PKCS-PSS"});
  for (const KeyObject& key : private_keys()) {
    if (key.label == "pss") {
      EXPECT_THAT(key.allowed_mechanisms, ElementsAre(CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS));
    }
  }
}

TEST_F(KeyObjectTest, OfATokenThatDislikesAnAttributeIsReadWithoutIt) {
  const std::vector<KeyObject> before = private_keys();
  faults_.fail(Function::C_GetAttributeValue, CKR_ARGUMENTS_BAD);
  const std::vector<KeyObject> after = private_keys();
  ASSERT_EQ(after.size(), before.size());
  EXPECT_EQ(after.at(0).id, before.at(0).id);
}

}  // namespace
}  // namespace keystay::pkcs11
