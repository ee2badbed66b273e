// A file that is encrypted under a secret key is read as it was written, or not at all.
#include "native/x509/auth_enveloped_data.h"

#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/x509/error.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
using testing::SizeIs;

ByteSource source_of(const Bytes& bytes) {
  return [&bytes, at = std::size_t{0}](std::span<std::uint8_t> place) mutable {
    const std::size_t size = std::min(place.size(), bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, place.begin());
    at += size;
    return size;
  };
}

Bytes written(const ContentKey& key, const Bytes& content) {
  const KekRecipient recipient{Bytes(20, 0x1D), 256, Bytes(40, 0xEE)};
  Bytes file;
  write_auth_enveloped_data(key, recipient, source_of(content),
                            [&](ByteView part) { file.insert(file.end(), part.begin(), part.end()); });
  return file;
}

Bytes read(const ContentKey& key, const Bytes& file) {
  AuthEnvelopedData data(source_of(file));
  Bytes content;
  data.decrypt(key, [&](ByteView part) { content.insert(content.end(), part.begin(), part.end()); });
  return content;
}

TEST(AuthEnvelopedData, IsReadAsItWasWritten) {
  const ContentKey key = ContentKey::random();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65'536}, std::size_t{65'537}}) {
    const Bytes content(size, 0x5C);
    const Bytes file = written(key, content);
    EXPECT_EQ(read(key, file), content);
    const AuthEnvelopedData data(source_of(file));
    ASSERT_THAT(data.recipients(), SizeIs(1));
    EXPECT_EQ(data.recipients().front().key_identifier, Bytes(20, 0x1D));
    EXPECT_EQ(data.recipients().front().kek_bits, 256U);
    EXPECT_EQ(data.recipients().front().encrypted_key, Bytes(40, 0xEE));
    EXPECT_EQ(data.content_key_size(), 32U);
  }
}

TEST(AuthEnvelopedData, ThatIsCutOffOrChangedGivesNoOtherContent) {
  const ContentKey key = ContentKey::random();
  const Bytes content(300, 0x5C);
  const Bytes file = written(key, content);
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_THROW(read(key, {file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), Error) << size;
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const std::uint8_t bit : {0x01, 0x20, 0x80}) {
      Bytes changed = file;
      changed[at] ^= bit;
      try {
        EXPECT_EQ(read(key, changed), content) << "byte " << at;  // one of the key identifier, or alike
      } catch (const Error&) {
        continue;
      }
    }
  }
}

TEST(AuthEnvelopedData, OfOtherHandsTakesBoundedStackAndMemory) {
  Bytes deep;
  for (int i = 0; i < 100'000; ++i) deep.insert(deep.end(), {0x30, 0x80});
  EXPECT_THROW(AuthEnvelopedData{source_of(deep)}, Error);
  const Bytes file = written(ContentKey::random(), Bytes(10, 1));
  Bytes recipients(file.begin(), file.begin() + 22);  // up to the SET of recipients
  ASSERT_EQ(file[22], 0x31);
  recipients.insert(recipients.end(), {0x31, 0x80});
  Bytes nested = recipients;
  for (int i = 0; i < 100'000; ++i) nested.insert(nested.end(), {0xA1, 0x80});
  EXPECT_THROW(AuthEnvelopedData{source_of(nested)}, Error);
  Bytes many = recipients;
  for (int i = 0; i < 100'000; ++i) many.insert(many.end(), {0xA1, 0x00});
  EXPECT_THROW(AuthEnvelopedData{source_of(many)}, Error);
  Bytes longest = recipients;
  longest.insert(longest.end(),
                 {0xA2, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0x01, 0x04});
  EXPECT_THROW(AuthEnvelopedData{source_of(longest)}, Error);
}

}  // namespace
}  // namespace keystay::x509
