// A new name is unlike every other one on the token, in whatever letter case: Java's key stores, openssl and
// people find a name in either.
#include "native/x509/certificate_bundle.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The second name of each pair, by code point: Ä and ä, Σ and the σ at a word's end.
struct Pair {
  const char* name;
  const char* alike;
};
constexpr Pair kAlike[] = {{"httpd", "HTTPD"},
                           {"WEB", "web"},
                           {"M\u00c4RZ", "m\u00e4rz"},
                           {"\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2"},
                           {"\u0434\u043e\u043c", "\u0414\u041e\u041c"}};

class NewName : public KeyStoreTest {
 protected:
  void make_by_pkcs11_tool(const std::string& label, const std::string& id) {
    hsm_.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", label, "--id", id, "--usage-sign"});
  }

  Certificate root() const { return x509::read_certificates(ca_.root_pem()).front(); }

  // Nothing is left of it.
  void expect_taken(const Pair& pair, const std::function<void()>& body) {
    const auto before = inventory();
    const std::optional<Error> error = error_of(body);
    ASSERT_TRUE(error) << pair.alike;
    EXPECT_EQ(error->error_class(), ErrorClass::client);
    EXPECT_THAT(error->what(), AllOf(HasSubstr("alias \"" + std::string(pair.name) + "\" already exists")));
    EXPECT_EQ(inventory(), before) << pair.alike;
  }
};

TEST_F(NewName, OfAKeyIsUnlikeThoseOfKeys) {
  const Entry other = generate("other");
  int id = 10;
  for (const Pair& pair : kAlike) {
    make_by_pkcs11_tool(pair.name, std::to_string(id++));
    expect_taken(pair, [&] { generate(pair.alike); });
    expect_taken(pair, [&] { store_.rename(other, pair.alike); });
    expect_taken(pair, [&] { store_.add_certificate(pair.alike, root()); });
  }
}

TEST_F(NewName, OfAKeyIsUnlikeThoseOfTrustedCertificates) {
  const Entry other = generate("other");
  for (const Pair& pair : kAlike) {
    store_.add_certificate(pair.name, root());
    expect_taken(pair, [&] { generate(pair.alike); });
    expect_taken(pair, [&] { store_.rename(other, pair.alike); });
  }
}

TEST_F(NewName, OfAnUnfinishedKeyIsUnlikeOthers) {
  make_by_pkcs11_tool("httpd", "0a");
  const Entry unfinished = store_.generate_unfinished(key_spec("EC", 256, ""));
  expect_taken(kAlike[0], [&] { store_.name(unfinished, "HTTPD"); });
  EXPECT_EQ(store_.name(unfinished, "mail").alias, "mail");
}

// A key that nothing can be done with has its name all the same.
TEST_F(NewName, IsUnlikeThatOfAKeyWithoutPublicHalf) {
  make_by_pkcs11_tool("httpd", "0a");
  hsm_.pkcs11_tool({"--delete-object", "--type", "pubkey", "--label", "httpd"});
  for (const char* alias : {"httpd", "HTTPD"}) {
    const std::optional<Error> error = error_of([&] { generate(alias); });
    ASSERT_TRUE(error) << alias;
    EXPECT_THAT(error->what(), HasSubstr("alias \"httpd\" already exists"));
  }
}

TEST_F(NewName, OfAnAliasMayDifferFromItsOldOneInLetterCase) {
  const Entry entry = generate("httpd");
  store_.replace_chain(entry, reply(entry));
  store_.rename(store_.find("httpd").value(), "HTTPD");
  const std::optional<Entry> renamed = store_.find("HTTPD");
  ASSERT_TRUE(renamed && renamed->leaf);
  EXPECT_TRUE(signs(*renamed));
}

}  // namespace
}  // namespace keystay::keys
