// What is done through a session: objects found, read, created, changed and destroyed.
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

class SessionTest : public TokenTest {
 protected:
  static Template data_object(std::string_view label, std::size_t size) {
    Template object;
    object.number(CKA_CLASS, CKO_DATA)
        .flag(CKA_TOKEN, false)
        .text(CKA_LABEL, label)
        .bytes(CKA_VALUE, Bytes(size, 0x42));
    return object;
  }
  static Template labelled(std::string_view label) {
    Template search;
    search.text(CKA_LABEL, label);
    return search;
  }

  std::shared_ptr<Token> token_ = token();
};

TEST_F(SessionTest, FindsEveryObjectHoweverMany) {
  token_->with_session([](Session& session) {
    for (int i = 0; i < 300; ++i) session.create_object(data_object("many", 1));
    EXPECT_EQ(session.find_objects(labelled("many")).size(), 300u);
    EXPECT_TRUE(session.find_objects(labelled("none")).empty());
  });
}

TEST_F(SessionTest, ReadsAttributesInOneCall) {
  token_->with_session([this](Session& session) {
    Template search;
    search.number(CKA_CLASS, CKO_PUBLIC_KEY);
    const CK_OBJECT_HANDLE key = session.find_objects(std::move(search)).at(0);
    faults_.reset_calls();
    constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_KEY_TYPE, CKA_LABEL, CKA_ID, CKA_TOKEN, CKA_EC_PARAMS};
    const Attributes attributes = session.attributes(key, kTypes);
    EXPECT_EQ(attributes.number(CKA_KEY_TYPE), CKK_EC);
    EXPECT_EQ(attributes.text(CKA_LABEL), "httpd");
    EXPECT_EQ(attributes.bytes(CKA_ID), Bytes{0x01});
    EXPECT_EQ(attributes.flag(CKA_TOKEN), true);
    EXPECT_EQ(faults_.calls(Function::C_GetAttributeValue), 1u);
    EXPECT_EQ(faults_.calls(), 1u);
  });
}

TEST_F(SessionTest, ReadsValuesThatAreLongerThanUsual) {
  token_->with_session([](Session& session) {
    const CK_OBJECT_HANDLE object = session.create_object(data_object("long", 100'000));
    constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_LABEL, CKA_VALUE};
    const Attributes attributes = session.attributes(object, kTypes);
    EXPECT_EQ(attributes.bytes(CKA_VALUE), Bytes(100'000, 0x42));
    EXPECT_EQ(attributes.text(CKA_LABEL), "long");
  });
}

// One of several codes is returned then (PKCS #11 v3.0, section 5.7.5); SoftHSM's is
// CKR_ATTRIBUTE_TYPE_INVALID.
TEST_F(SessionTest, ReadsValuesThatAreLongerThanUsualBesideAbsentOnes) {
  token_->with_session([](Session& session) {
    const CK_OBJECT_HANDLE object = session.create_object(data_object("long", 100'000));
    constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_LABEL, CKA_VALUE, CKA_ID};  // data objects have no CKA_ID
    const Attributes attributes = session.attributes(object, kTypes);
    EXPECT_EQ(attributes.bytes(CKA_VALUE), Bytes(100'000, 0x42));
    EXPECT_EQ(attributes.find(CKA_ID), nullptr);
  });
}

// PKCS #11 v3.0, section 5.7.5: CKR_ATTRIBUTE_SENSITIVE is no reason to lose the others.
TEST_F(SessionTest, LeavesOutWhatTheTokenHides) {
  token_->with_session([](Session& session) {
    Template search;
    search.number(CKA_CLASS, CKO_PRIVATE_KEY);
    const CK_OBJECT_HANDLE key = session.find_objects(std::move(search)).at(0);
    constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_VALUE, CKA_LABEL, CKA_MODULUS};
    const Attributes attributes = session.attributes(key, kTypes);
    EXPECT_EQ(attributes.find(CKA_VALUE), nullptr);
    EXPECT_EQ(attributes.find(CKA_MODULUS), nullptr);
    EXPECT_EQ(attributes.text(CKA_LABEL), "httpd");
    EXPECT_EQ(attributes.flag(CKA_VALUE), std::nullopt);
    EXPECT_EQ(attributes.number(CKA_LABEL), std::nullopt) << "five bytes are no CK_ULONG";
  });
}

TEST_F(SessionTest, ChangesAndDestroysObjects) {
  token_->with_rw_session([](Session& session) {
    const CK_OBJECT_HANDLE object = session.create_object(data_object("before", 3));
    session.set_attributes(object, labelled("after"));
    EXPECT_TRUE(session.find_objects(labelled("before")).empty());
    EXPECT_EQ(session.find_objects(labelled("after")), std::vector<CK_OBJECT_HANDLE>{object});
    session.destroy_object(object);
    EXPECT_TRUE(session.find_objects(labelled("after")).empty());
  });
}

TEST_F(SessionTest, EndsASearchThatFails) {
  token_->with_session([this](Session& session) {
    faults_.fail(Function::C_FindObjects, CKR_ARGUMENTS_BAD);
    EXPECT_TRUE(error_of([&] { (void)session.find_objects(labelled("httpd")); }));
    EXPECT_EQ(session.find_objects(labelled("httpd")).size(), 2u)
        << "no CKR_OPERATION_ACTIVE from the search before";
  });
}

TEST_F(SessionTest, OfAReaderWritesNothingOnTheToken) {
  const std::optional<Error> error = error_of([&] {
    token_->with_session([](Session& session) {
      session.create_object(std::move(data_object("note", 3).flag(CKA_PRIVATE, false)));
      Template on_token;
      on_token.number(CKA_CLASS, CKO_DATA).flag(CKA_TOKEN, true).text(CKA_LABEL, "note");
      session.create_object(std::move(on_token));
    });
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_SESSION_READ_ONLY);
}

}  // namespace
}  // namespace keystay::pkcs11
