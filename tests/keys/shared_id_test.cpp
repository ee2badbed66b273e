// What "id:…" means where a certificate that is not the key's has its CKA_ID, and what shares one with a key
// whose deletion was interrupted.
#include "native/keys/unfinished.h"
#include "native/pkcs11/text.h"
#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using pkcs11::Session;
using pkcs11::Template;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SharedId : public KeyStoreTest {
 protected:
  Certificate root() const { return x509::read_certificates(ca_.root_pem()).front(); }

  void add_foreign_certificate(const std::string& label, const Bytes& id) {
    store_.add_certificate("foreign", root());
    token_->with_rw_session([&](Session& session) {
      Template search = objects_of(CKO_CERTIFICATE);
      search.text(CKA_LABEL, "foreign");
      for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search)))
        session.set_attributes(object, std::move(Template().text(CKA_LABEL, label).bytes(CKA_ID, id)));
    });
  }

  void give_id(const Entry& entry, const Bytes& id) {
    token_->with_rw_session([&](Session& session) {
      for (const CK_OBJECT_CLASS half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE}) {
        Template search = objects_of(half);
        search.text(CKA_LABEL, entry.alias);
        for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search)))
          session.set_attributes(object, std::move(Template().bytes(CKA_ID, id)));
      }
    });
  }

  // As a process leaves it that ends there.
  void destroy_private_key_only(const std::string& label) {
    hsm_.pkcs11_tool({"--delete-object", "--type", "privkey", "--label", label});
  }
};

TEST_F(SharedId, MeansTheKeyAndNotACertificateThatIsNotItsOwn) {
  const Entry key = generate("web");
  const Bytes& id = key.key.reference().id();
  const std::string by_id = "id:" + pkcs11::hex(id);
  for (const char* label : {"web", "another"}) {
    add_foreign_certificate(label, id);
    for (const std::optional<Named>& named : {store_.resolve(by_id), store_.resolve_to_change(by_id)}) {
      ASSERT_TRUE(named && std::holds_alternative<Entry>(*named)) << label;
      EXPECT_EQ(std::get<Entry>(*named).key.public_key(), key.key.public_key());
    }
  }
  const Named named = store_.resolve_to_change(by_id).value();
  store_.destroy(std::get<Entry>(named));
  EXPECT_THAT(inventory(), ElementsAre(HasSubstr("another"), HasSubstr("web")))
      << "the certificates stay: they certify another key";
  EXPECT_TRUE(std::holds_alternative<TrustedCertificate>(store_.resolve_to_change("web").value()));
}

TEST_F(SharedId, ANameOfAKeyAndACertificateIsTheKeysForUseAndNobodysForAChange) {
  const Entry key = generate("web");
  add_foreign_certificate("web", key.key.reference().id());
  const std::optional<Named> named = store_.resolve("web");
  ASSERT_TRUE(named && std::holds_alternative<Entry>(*named));
  const auto error = error_of([&] { (void)store_.resolve_to_change("web"); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("id:" + pkcs11::hex(key.key.reference().id()) + " (the key)"),
                                   HasSubstr("\"web#2\" (the certificate)")));
}

TEST_F(SharedId, APublicKeyWithoutItsPrivateOneIsLeftOverBesideAnotherKeyOfItsId) {
  const Bytes id{0x0a};
  for (const char* alias : {"a", "b"}) {
    const Entry entry = generate(alias);
    store_.replace_chain(entry, reply(entry));
    give_id(entry, id);
  }
  destroy_private_key_only("a");
  std::vector<std::string> unfinished;
  for (const Unfinished& object : store_.list().unfinished) unfinished.push_back(object.label);
  EXPECT_THAT(unfinished, ElementsAre("a", "a")) << "public key and leaf";
  EXPECT_TRUE(store_.destroy_leftovers("a"));
  EXPECT_THAT(store_.list().unfinished, IsEmpty());
  EXPECT_TRUE(signs(store_.find("b").value()));
  EXPECT_TRUE(store_.find("b")->leaf);
}

TEST_F(SharedId, OneOfTwoInterruptedDeletionsIsFinishedAlone) {
  const Bytes id{0x0a};
  for (const char* alias : {"a", "b"}) {
    const Entry entry = generate(alias);
    store_.replace_chain(entry, reply(entry));
    give_id(entry, id);
  }
  for (const char* alias : {"a", "b"}) destroy_private_key_only(alias);
  EXPECT_TRUE(store_.destroy_leftovers("a"));
  std::vector<std::string> labels;
  for (const Unfinished& object : store_.list().unfinished) labels.push_back(object.label);
  EXPECT_THAT(labels, ElementsAre("b", "b"));
}

}  // namespace
}  // namespace keystay::keys
