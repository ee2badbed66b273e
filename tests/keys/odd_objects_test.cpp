// Objects as other hands write them: one that cannot be read is told, and spoils nothing.
#include <array>

#include "native/pkcs11/text.h"
#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using pkcs11::Session;
using pkcs11::Template;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes octet_string(const Bytes& content) {
  return joined({0x04, static_cast<std::uint8_t>(content.size())}, content);
}

Bytes bit_string(const Bytes& content) {
  return joined({0x03, static_cast<std::uint8_t>(content.size() + 1), 0}, content);
}

class OddObjectsTest : public KeyStoreTest {
 protected:
  const Bytes& point(const Entry& entry) {
    return std::get<pkcs11::EcPublicKey>(entry.key.public_key()).point;
  }

  // Puts another public key object in the place of an EC key's.
  void state(const Entry& entry, const Bytes& parameters, const Bytes& value) {
    token_->with_rw_session([&](Session& session) {
      Template search = objects_of(CKO_PUBLIC_KEY);
      search.bytes(CKA_ID, entry.key.reference().id());
      for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search)))
        session.destroy_object(object);
      Template object = objects_of(CKO_PUBLIC_KEY);
      object.flag(CKA_TOKEN, true)
          .flag(CKA_PRIVATE, false)
          .number(CKA_KEY_TYPE, CKK_EC)
          .text(CKA_LABEL, entry.alias)
          .bytes(CKA_ID, entry.key.reference().id())
          .bytes(CKA_EC_PARAMS, parameters)
          .bytes(CKA_EC_POINT, value);
      session.create_object(std::move(object));
    });
  }
  void state(const Entry& entry, const Bytes& value) {
    state(entry, std::get<pkcs11::EcPublicKey>(entry.key.public_key()).parameters, value);
  }

  void add_value(const std::string& label, const Bytes& id, const Bytes& value) {
    token_->with_rw_session([&](Session& session) {
      Template object = objects_of(CKO_CERTIFICATE);
      object.flag(CKA_TOKEN, true)
          .flag(CKA_PRIVATE, false)
          .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
          .text(CKA_LABEL, label)
          .bytes(CKA_ID, id)
          .bytes(CKA_SUBJECT, {})
          .bytes(CKA_VALUE, value);
      session.create_object(std::move(object));
    });
  }
};

Bytes compressed(const Bytes& point) {
  Bytes result(point.begin(), point.begin() + 33);
  result[0] = static_cast<std::uint8_t>(2 + (point.back() & 1));
  return result;
}

TEST_F(OddObjectsTest, EveryFormOfAPointIsTheSameKey) {
  const Entry made = generate("web");
  const Bytes point = this->point(made);
  Bytes hybrid = point;
  hybrid[0] = static_cast<std::uint8_t>(6 + (point.back() & 1));
  for (const Bytes& value :
       {point, octet_string(point), bit_string(point), compressed(point), octet_string(compressed(point)),
        bit_string(compressed(point)), hybrid, octet_string(hybrid)}) {
    state(made, value);
    const auto found = store_.find("web");
    ASSERT_TRUE(found) << pkcs11::hex(value);
    EXPECT_EQ(found->key.public_key(), made.key.public_key()) << pkcs11::hex(value);
    token_->renew_sessions();  // the key is searched for again
    std::array<std::uint8_t, 64> signature{};
    EXPECT_EQ(found->key.sign(pkcs11::Ecdsa{}, Bytes(32, 7), signature), 64u) << pkcs11::hex(value);
    EXPECT_THAT(store_.list().unreadable, IsEmpty());
  }
}

TEST_F(OddObjectsTest, AKeyThatCannotBeReadIsToldAndSpoilsNothing) {
  const Entry odd = generate("odd");
  const Entry good = generate("good");
  const Bytes point = this->point(odd);
  Bytes off_the_curve = point;
  off_the_curve.back() ^= 1;
  for (const auto& [value, reason] :
       {std::pair(Bytes(point.begin(), point.end() - 1), "is no point of P-256"),
        std::pair(octet_string(off_the_curve), "not on its curve"),
        std::pair(octet_string(Bytes{0}), "is no point of P-256"),
        std::pair(octet_string(joined({2}, Bytes(32, 0xff))), "not on its curve")}) {
    state(odd, value);
    const Listing listing = store_.list();
    ASSERT_THAT(listing.entries, SizeIs(1)) << reason;
    EXPECT_EQ(listing.entries[0].entry.alias, "good");
    EXPECT_THAT(listing.unreadable, ElementsAre(AllOf(Field(&UnreadableObject::object_class, CKO_PRIVATE_KEY),
                                                      Field(&UnreadableObject::label, "odd"),
                                                      Field(&UnreadableObject::reason, HasSubstr(reason)))));
    const auto error = error_of([&] { (void)store_.find("odd"); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("alias \"odd\""), HasSubstr(reason)));
    EXPECT_TRUE(store_.find("good"));
  }
}

// Neither is a key without a public key object, which is the user's to store: this one is there.
TEST_F(OddObjectsTest, APointThatIsEmptyOrHugeIsToldAsWhatItIs) {
  const Entry odd = generate("odd");
  const Entry good = generate("good");
  for (const auto& [value, reason] :
       {std::pair(Bytes{}, "CKA_EC_POINT is not there"), std::pair(octet_string({}), "is no point of P-256"),
        std::pair(Bytes(2000, 4), "is no point of P-256"),
        std::pair(Bytes(100'000, 4), "is longer than any key's"),
        std::pair(Bytes(3'000'000, 4), "is longer than any key's")}) {
    state(odd, value);
    const Listing listing = store_.list();
    ASSERT_THAT(listing.entries, SizeIs(1)) << value.size();
    EXPECT_THAT(listing.unreadable, ElementsAre(Field(&UnreadableObject::reason, HasSubstr(reason))))
        << value.size();
    const auto error = error_of([&] { (void)store_.find("odd"); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("alias \"odd\""), HasSubstr(reason)));
  }
}

TEST_F(OddObjectsTest, AKeyOnACurveWrittenOutSaysSo) {
  const Entry odd = generate("odd");
  state(odd, Bytes{0x30, 0x03, 0x02, 0x01, 0x01}, octet_string(point(odd)));
  EXPECT_THAT(store_.list().unreadable,
              ElementsAre(Field(&UnreadableObject::reason, HasSubstr("explicit parameters"))));
}

TEST_F(OddObjectsTest, AKeyWhoseCertificateHasACurveWrittenOutSaysSo) {
  const Entry odd = generate("odd");
  token_->with_rw_session([](Session& session) {
    for (const CK_OBJECT_HANDLE object : session.find_token_objects(objects_of(CKO_PUBLIC_KEY)))
      session.destroy_object(object);
  });
  const std::string key = test::run_or_throw(
      {"openssl", "ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-noout"});
  const auto file = hsm_.directory().write("explicit.key", key);
  const std::string pem = test::run_or_throw(
      {"openssl", "req", "-x509", "-new", "-key", file, "-subj", "/CN=explicit", "-days", "10"});
  add_value("odd", odd.key.reference().id(), x509::read_certificates(pem).front().der);
  EXPECT_THAT(store_.list().unreadable,
              ElementsAre(Field(&UnreadableObject::reason, AllOf(HasSubstr("the certificate with its CKA_ID"),
                                                                 HasSubstr("explicit parameters")))));
}

TEST_F(OddObjectsTest, AKeyWhoseCertificateTellsItIsUsed) {
  const Entry entry = generate("web");
  store_.replace_chain(entry, reply(entry));
  state(entry, Bytes(7, 7));
  const auto found = store_.find("web");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key.public_key(), entry.key.public_key());
  EXPECT_EQ(found->public_half_source, PublicHalfSource::certificate);
  EXPECT_THAT(store_.list().unreadable, IsEmpty());
}

TEST_F(OddObjectsTest, BytesAfterACertificateAreNotPartOfIt) {
  const Entry entry = generate("web");
  const Certificate leaf = reply(entry).front();
  for (const Bytes& padding : {Bytes{0}, Bytes(100, 0xff), Bytes(3, 0)}) {
    const Bytes id = entry.key.reference().id();
    add_value("web", id, joined(leaf.der, padding));
    const auto found = store_.find("web");
    ASSERT_TRUE(found && found->leaf);
    EXPECT_EQ(found->leaf->der, leaf.der);
    EXPECT_EQ(store_.chain(*found).front().der, leaf.der);
    token_->with_rw_session([](pkcs11::Session& session) {
      for (const CK_OBJECT_HANDLE object : session.find_token_objects(objects_of(CKO_CERTIFICATE)))
        session.destroy_object(object);
    });
  }
}

TEST_F(OddObjectsTest, WhatIsNoCertificateIsToldAndSpoilsNothing) {
  const Certificate root = x509::read_certificates(ca_.root_pem()).front();
  store_.add_certificate("root", root);
  add_value("cut", Bytes{1}, Bytes(root.der.begin(), root.der.end() - 1));
  add_value("noise", Bytes{2}, bytes("-----BEGIN CERTIFICATE-----"));
  add_value("huge", Bytes{5}, joined(root.der, Bytes(2'000'000, 0)));
  add_value("other", Bytes{3}, Bytes{0x30, 0x03, 0x02, 0x01, 0x01});
  const Listing listing = store_.list();
  EXPECT_THAT(listing.trusted, SizeIs(1));
  EXPECT_THAT(
      listing.unreadable,
      ElementsAre(Field(&UnreadableObject::label, "cut"), Field(&UnreadableObject::label, "huge"),
                  Field(&UnreadableObject::label, "noise"), Field(&UnreadableObject::label, "other")));
}

TEST_F(OddObjectsTest, WhatCannotBeReadIsNamedAndDestroyedAlone) {
  const Entry odd = generate("odd");
  const Entry good = generate("good");
  state(odd, Bytes(7, 7));
  add_value("noise", Bytes{2}, bytes("-----BEGIN CERTIFICATE-----"));
  add_value("good", good.key.reference().id(), bytes("-----BEGIN CERTIFICATE-----"));
  for (const auto& [alias, object_class] :
       {std::pair<std::string, CK_OBJECT_CLASS>("ODD", CKO_PRIVATE_KEY),
        std::pair<std::string, CK_OBJECT_CLASS>("id:02", CKO_CERTIFICATE)}) {
    const Named named = store_.resolve_to_change(alias).value();
    const auto& object = std::get<UnreadableObject>(named);
    EXPECT_EQ(object.object_class, object_class);
    EXPECT_FALSE(object.reason.empty());
    store_.destroy(object);
    EXPECT_FALSE(store_.resolve(alias)) << alias;
    const auto again = error_of([&] { store_.destroy(object); });
    ASSERT_TRUE(again);
    EXPECT_EQ(again->error_class(), ErrorClass::client);
  }
  EXPECT_TRUE(std::holds_alternative<Entry>(store_.resolve_to_change("good").value()))
      << "a certificate that cannot be read is nobody's rival";
  store_.destroy(std::get<Entry>(store_.resolve_to_change("good").value()));
  EXPECT_TRUE(std::holds_alternative<UnreadableObject>(store_.resolve_to_change("good").value()));
}

TEST_F(OddObjectsTest, AKeyThatCanBeUsedByNowIsNotDestroyedAsOneThatCannot) {
  const Entry odd = generate("odd");
  const Bytes point = this->point(odd);
  state(odd, Bytes(7, 7));
  const Named named = store_.resolve_to_change("odd").value();
  state(odd, octet_string(point));
  EXPECT_TRUE(error_of([&] { store_.destroy(std::get<UnreadableObject>(named)); }));
  EXPECT_TRUE(store_.find("odd"));
}

}  // namespace
}  // namespace keystay::keys
