// A listing looks at each object once or twice, however many there are.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/keys/entry_join.h"
#include "native/keys/listing_of_objects.h"
#include "native/pkcs11/curve.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;

constexpr std::size_t kAliases = 1000;

// Counts what it is asked, and says yes.
class CountingPkix final : public Pkix {
 public:
  [[nodiscard]] std::optional<Certificate> decode(pkcs11::ByteView) const override { return std::nullopt; }
  [[nodiscard]] bool issued_by(const Certificate&, const Certificate&) const override {
    ++signatures;
    return true;
  }
  [[nodiscard]] std::optional<pkcs11::EcPublicKey> uncompressed(
      const pkcs11::EcPublicKey& key) const override {
    return key;
  }
  [[nodiscard]] Bytes key_identifier(const pkcs11::PublicKey&) const override { return {}; }

  mutable std::size_t signatures = 0;
};

Bytes number(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

pkcs11::PublicKey public_key(std::size_t value) {
  const pkcs11::Curve& curve = *pkcs11::find_curve("P-256");
  Bytes point(65, 0x04);
  std::ranges::copy(number(value), point.begin() + 1);
  return pkcs11::EcPublicKey{Bytes(curve.parameters.begin(), curve.parameters.end()), std::move(point)};
}

Certificate certificate(Bytes subject, Bytes issuer, std::optional<pkcs11::PublicKey> key) {
  const auto now = std::chrono::system_clock::now();
  Certificate made{.der = subject,
                   .subject = subject,
                   .issuer = std::move(issuer),
                   .serial_number = {},
                   .not_before = now - std::chrono::hours(1),
                   .not_after = now + std::chrono::hours(1),
                   .public_key = std::move(key)};
  made.der.push_back(0xff);
  return made;
}

// 1,000 aliases with certificates of one issuer, whose own certificate is last, and one that was imported.
TokenObjects many_aliases() {
  TokenObjects objects;
  for (std::size_t i = 0; i < kAliases; ++i) {
    const std::string label = "alias-" + std::to_string(i);
    objects.private_keys.push_back({1 + i, number(i), label, CKK_EC, std::nullopt});
    objects.public_keys.push_back({2000 + i, number(i), label, CKK_EC, public_key(i)});
    objects.certificates.push_back(
        {4000 + i, number(i), label, certificate(number(i), {'c', 'a'}, public_key(i))});
  }
  objects.certificates.push_back({5000, {}, "issuer-01", certificate({'c', 'a'}, {'c', 'a'}, std::nullopt)});
  objects.certificates.push_back({5001, {}, "imported", certificate({'x'}, {'y'}, public_key(kAliases))});
  return objects;
}

Listing list(const TokenObjects& objects, const Pkix& pkix) {
  const ObjectIndex index(objects);
  std::vector<Entry> entries;
  for (const KeyObject& key : objects.private_keys) {
    if (auto entry = join(key, index, nullptr)) entries.push_back(std::move(*entry));
  }
  return listing_of(std::move(entries), objects.certificates, pkix);
}

TEST(ListingOf, AThousandAliasesHasEachWithItsOwnChain) {
  const CountingPkix pkix;
  const Listing listing = list(many_aliases(), pkix);
  ASSERT_EQ(listing.entries.size(), kAliases);
  for (std::size_t i = 0; i < kAliases; ++i) {
    const ListedEntry& listed = listing.entries[i];
    EXPECT_EQ(listed.entry.key.public_key(), public_key(i));
    ASSERT_EQ(listed.chain.size(), 2u);
    EXPECT_EQ(listed.chain[0].subject, number(i));
  }
  ASSERT_EQ(listing.trusted.size(), 1u);
  EXPECT_EQ(listing.trusted[0].alias, "imported");
  EXPECT_EQ(pkix.signatures, kAliases + 1) << "that of each leaf, and once that of the root";
}

// An alias is compared with what the index gives for it: with its own objects, and with no other's.
TEST(ListingOf, AThousandAliasesComparesEachWithItsOwnObjectsOnly) {
  const TokenObjects objects = many_aliases();
  const ObjectIndex index(objects);
  std::size_t compared = 0;
  for (std::size_t i = 0; i < kAliases; ++i) {
    compared += index.public_keys_with(number(i)).size() + index.certificates_with(number(i)).size() +
                index.certificates_of(public_key(i)).size();
  }
  EXPECT_EQ(compared, 3 * kAliases);

  std::set<std::size_t> hashes;
  for (std::size_t i = 0; i < kAliases; ++i) hashes.insert(PublicKeyHash{}(public_key(i)));
  EXPECT_EQ(hashes.size(), kAliases) << "keys that fall together are compared one by one";
}

}  // namespace
}  // namespace keystay::keys
