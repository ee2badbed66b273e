// Files that are encrypted under a secret key of a token: CMS AuthEnvelopedData (RFC 5083) with AES-GCM (RFC
// 5084), whose content key a KEKRecipientInfo has (RFC 5652, section 6.2.3), wrapped by AES (RFC 3565,
// section 2.3.2).
//
// libcrypto's CMS functions want the key-encryption key itself, and read a file whole; so the form is written
// and read here, and only content and MAC are libcrypto's. The memory that it takes does not depend on the
// content.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "native/x509/ber_reader.h"

namespace keystay::x509 {

struct KekRecipient {
  pkcs11::Bytes key_identifier;
  unsigned kek_bits;            // 128, 192 or 256: by which algorithm it is wrapped
  pkcs11::Bytes encrypted_key;  // RFC 3394
};

using ByteSink = std::function<void(pkcs11::ByteView)>;

// The content key of a new file: 256 random bits, wiped in the end.
class ContentKey final {
 public:
  // Throws Error.
  [[nodiscard]] static ContentKey random();
  explicit ContentKey(std::size_t size) : value_(size) {}
  ContentKey(ContentKey&&) noexcept = default;
  ContentKey& operator=(ContentKey&&) = delete;
  ~ContentKey();

  [[nodiscard]] pkcs11::ByteView value() const noexcept { return value_; }
  [[nodiscard]] std::span<std::uint8_t> place() noexcept { return value_; }

 private:
  pkcs11::Bytes value_;
};

// Writes the file as `content` comes, to its end; both throw what they like. Throws Error, for a content
// beyond 2^36 - 32 bytes as well (NIST SP 800-38D).
void write_auth_enveloped_data(const ContentKey& key, const KekRecipient& recipient,
                               const ByteSource& content, const ByteSink& file);

// A file that is read in two steps: what stands before the content, and the rest.
class AuthEnvelopedData final {
 public:
  // Throws Error that says what it is instead.
  explicit AuthEnvelopedData(ByteSource file);
  AuthEnvelopedData(const AuthEnvelopedData&) = delete;
  AuthEnvelopedData& operator=(const AuthEnvelopedData&) = delete;
  ~AuthEnvelopedData();

  // Those that are of this kind.
  [[nodiscard]] const std::vector<KekRecipient>& recipients() const noexcept { return recipients_; }
  // In bytes.
  [[nodiscard]] std::size_t content_key_size() const noexcept { return key_size_; }

  // Nothing of the content may be used before this returns: only then it is known that nobody has changed it.
  // Throws Error. Once.
  void decrypt(const ContentKey& key, const ByteSink& content);

 private:
  void read_recipients();
  void read_recipient();
  void read_content_algorithm();

  BerReader reader_;
  std::vector<KekRecipient> recipients_;
  std::size_t key_size_ = 0;
  pkcs11::Bytes nonce_;
  std::size_t tag_size_ = 12;
};

}  // namespace keystay::x509
