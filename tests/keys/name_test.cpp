// Names are compared as libcrypto compares them.
#include "native/keys/name.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/x509.h>

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using Name = std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)>;

struct Value {
  int type;
  std::string text;
};

Name name_of(const std::vector<Value>& values, int set = 0) {
  Name name(X509_NAME_new(), X509_NAME_free);
  for (const Value& value : values) {
    EXPECT_EQ(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, value.type,
                                         reinterpret_cast<const unsigned char*>(value.text.data()),
                                         static_cast<int>(value.text.size()), -1, set),
              1)
        << value.text;
  }
  return name;
}

Bytes der(X509_NAME* name) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_NAME(name, &encoded);
  Bytes result(encoded, encoded + size);
  OPENSSL_free(encoded);
  return result;
}

const std::string kBmp("\0C\0A\0 \0\xfc", 8);  // "CA ü"
const std::string kUniversal("\0\0\0C\0\0\0A\0\0\0 \0\0\0\xfc", 16);

TEST(SameName, IsWhatLibcryptoSays) {
  const std::vector<Value> values = {{V_ASN1_UTF8STRING, "Example CA"},
                                     {V_ASN1_PRINTABLESTRING, "Example CA"},
                                     {V_ASN1_PRINTABLESTRING, "EXAMPLE ca"},
                                     {V_ASN1_UTF8STRING, "  Example \t  CA "},
                                     {V_ASN1_IA5STRING, "example CA"},
                                     {V_ASN1_T61STRING, "Example CA"},
                                     {V_ASN1_UTF8STRING, "ExampleCA"},
                                     {V_ASN1_UTF8STRING, "Example CB"},
                                     {V_ASN1_UTF8STRING, "CA \xc3\xbc"},
                                     {V_ASN1_T61STRING, "CA \xfc"},
                                     {V_ASN1_BMPSTRING, kBmp},
                                     {V_ASN1_UNIVERSALSTRING, kUniversal},
                                     {V_ASN1_UTF8STRING, "CA \xc3\x9c"},
                                     {V_ASN1_UTF8STRING, " "}};
  for (const Value& a : values) {
    for (const Value& b : values) {
      const Name left = name_of({a});
      const Name right = name_of({b});
      EXPECT_EQ(same_name(der(left.get()), der(right.get())), X509_NAME_cmp(left.get(), right.get()) == 0)
          << a.type << ' ' << a.text << " | " << b.type << ' ' << b.text;
    }
  }
}

TEST(SameName, MindsTheOrderOfRelativeNamesAndNotThatWithinOne) {
  const Value a{V_ASN1_UTF8STRING, "aa"};
  const Value b{V_ASN1_PRINTABLESTRING, "B"};
  const auto same = [](const Name& left, const Name& right) {
    EXPECT_EQ(same_name(der(left.get()), der(right.get())), X509_NAME_cmp(left.get(), right.get()) == 0);
    return same_name(der(left.get()), der(right.get()));
  };
  EXPECT_FALSE(same(name_of({a, b}), name_of({b, a})));
  EXPECT_TRUE(same(name_of({a, b}, -1), name_of({b, a}, -1)));
  EXPECT_FALSE(same(name_of({a, b}, -1), name_of({a, b})));
  EXPECT_FALSE(same(name_of({a}), name_of({a, a})));
}

TEST(SameName, OfWhatIsNoNameIsAMatterOfOctets) {
  for (const Bytes& value : {Bytes{}, Bytes{0x30}, Bytes{0x31, 0x00}, Bytes{0x30, 0x02, 0x31, 0x01},
                             Bytes{0x30, 0x80}, Bytes(40, 0x30), Bytes{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}}) {
    EXPECT_TRUE(same_name(value, value));
    EXPECT_EQ(canonical_name(value), value);
  }
  EXPECT_FALSE(same_name(Bytes{0x30}, Bytes{0x31}));
}

}  // namespace
}  // namespace keystay::keys
