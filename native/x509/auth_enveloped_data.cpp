#include "native/x509/auth_enveloped_data.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "native/pkcs11/wipe.h"
#include "native/x509/error.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

// Tags, X.690.
constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kObjectIdentifier = 0x06;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kSet = 0x31;
constexpr std::uint8_t kContext0 = 0x80;             // [0] IMPLICIT of a primitive type
constexpr std::uint8_t kConstructedContext0 = 0xA0;  // [0] of anything else
constexpr std::uint8_t kConstructedContext1 = 0xA1;
constexpr std::uint8_t kKekRecipient = 0xA2;  // RFC 5652: [2]

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kContentKeySize = 32;
constexpr std::size_t kPart = std::size_t{64} << 10U;
constexpr std::uint64_t kLongestContent = (std::uint64_t{1} << 36U) - 32;
constexpr std::size_t kLongestIdentifier = 1024;
constexpr std::size_t kMostRecipients = 1000;

// Object identifiers, without tag and length.
const Bytes kAuthEnvelopedData = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x17};
const Bytes kEnvelopedData = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x03};
const Bytes kData = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01};

// 2.16.840.1.101.3.4.1 and the number of an AES algorithm: a key of 128 bits and the next two sizes, 20
// apart.
constexpr std::uint8_t kWrap = 5;
constexpr std::uint8_t kGcm = 6;
constexpr std::array<std::uint8_t, 8> kAes = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01};

Bytes aes_algorithm(std::uint8_t first, unsigned bits) {
  Bytes oid(kAes.begin(), kAes.end());
  oid.push_back(static_cast<std::uint8_t>(first + 20 * ((bits - 128) / 64)));
  return oid;
}

// The size of the key in bits; nothing for another algorithm.
std::optional<unsigned> aes_bits(const Bytes& oid, std::uint8_t first) {
  for (const unsigned bits : {128U, 192U, 256U}) {
    if (oid == aes_algorithm(first, bits)) return bits;
  }
  return std::nullopt;
}

// DER: tag and length of an element.
Bytes header(std::uint8_t tag, std::size_t size) {
  Bytes der{tag};
  if (size < 0x80) {
    der.push_back(static_cast<std::uint8_t>(size));
    return der;
  }
  Bytes length;
  for (; size > 0; size >>= 8U) length.insert(length.begin(), static_cast<std::uint8_t>(size));
  der.push_back(static_cast<std::uint8_t>(0x80 + length.size()));
  der.insert(der.end(), length.begin(), length.end());
  return der;
}

Bytes element(std::uint8_t tag, ByteView content) {
  Bytes der = header(tag, content.size());
  der.insert(der.end(), content.begin(), content.end());
  return der;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes integer(std::uint8_t value) { return {kInteger, 1, value}; }

Bytes recipient_info(const KekRecipient& recipient) {
  return element(
      kKekRecipient,
      joined({integer(4), element(kSequence, element(kOctetString, recipient.key_identifier)),
              element(kSequence, element(kObjectIdentifier, aes_algorithm(kWrap, recipient.kek_bits))),
              element(kOctetString, recipient.encrypted_key)}));
}

// All that stands before the first part of the content. Lengths are indefinite where the content is within.
Bytes beginning(const KekRecipient& recipient, const Bytes& nonce) {
  const Bytes parameters = element(kSequence, joined({element(kOctetString, nonce), integer(kTagSize)}));
  const Bytes algorithm =
      element(kSequence, joined({element(kObjectIdentifier, aes_algorithm(kGcm, 256)), parameters}));
  return joined({{kSequence, 0x80},
                 element(kObjectIdentifier, kAuthEnvelopedData),
                 {kConstructedContext0, 0x80, kSequence, 0x80},
                 integer(0),
                 element(kSet, recipient_info(recipient)),
                 {kSequence, 0x80},
                 element(kObjectIdentifier, kData),
                 algorithm,
                 {kConstructedContext0, 0x80}});
}

enum class Direction { decrypt, encrypt };

// AES-GCM over a content in parts.
class Gcm final {
 public:
  Gcm(Direction direction, ByteView key, ByteView nonce) : context_(EVP_CIPHER_CTX_new()) {
    const EVP_CIPHER* cipher = key.size() == 16   ? EVP_aes_128_gcm()
                               : key.size() == 24 ? EVP_aes_192_gcm()
                                                  : EVP_aes_256_gcm();
    const int encrypts = direction == Direction::encrypt ? 1 : 0;
    require(context_ && EVP_CipherInit_ex(context_.get(), cipher, nullptr, nullptr, nullptr, encrypts) == 1);
    require(control(EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()), nullptr));
    require(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, key.data(), nonce.data(), encrypts) == 1);
  }

  void process(ByteView part, const ByteSink& take) {
    result_.resize(part.size());
    int size = 0;
    require(EVP_CipherUpdate(context_.get(), result_.data(), &size, part.data(),
                             static_cast<int>(part.size())) == 1);
    take(ByteView(result_).first(static_cast<std::size_t>(size)));
    pkcs11::wipe(result_);
  }

  [[nodiscard]] Bytes tag() {
    Bytes tag(kTagSize);
    require(finish() && control(EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()));
    return tag;
  }
  [[nodiscard]] bool has_tag(Bytes tag) {
    require(control(EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()));
    return finish();
  }

 private:
  [[nodiscard]] bool control(int type, int number, void* place) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), type, number, place) == 1;
  }
  [[nodiscard]] bool finish() {
    std::array<std::uint8_t, 16> nothing{};
    int size = 0;
    return EVP_CipherFinal_ex(context_.get(), nothing.data(), &size) == 1;
  }
  static void require(bool done) {
    if (!done) throw openssl_error("AES-GCM failed");
  }

  CipherContext context_;
  Bytes result_;
};

[[noreturn]] void refuse(const char* what) {
  throw Error(std::string("this is no CMS AuthEnvelopedData with AES-GCM (RFC 5083, RFC 5084): ") + what);
}

}  // namespace

ContentKey ContentKey::random() {
  ContentKey key(kContentKeySize);
  if (RAND_priv_bytes(key.place().data(), static_cast<int>(kContentKeySize)) != 1)
    throw openssl_error("no random numbers");
  return key;
}

ContentKey::~ContentKey() { pkcs11::wipe(value_); }

void write_auth_enveloped_data(const ContentKey& key, const KekRecipient& recipient,
                               const ByteSource& content, const ByteSink& file) {
  Bytes nonce(kNonceSize);
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1) throw openssl_error("no random numbers");
  Gcm gcm(Direction::encrypt, key.value(), nonce);
  file(beginning(recipient, nonce));
  Bytes part(kPart);
  std::uint64_t length = 0;
  for (std::size_t size = content(part); size > 0; size = content(part)) {
    length += size;
    if (length > kLongestContent) throw Error("the content is longer than the 64 GiB that AES-GCM protects");
    file(header(kOctetString, size));
    gcm.process(ByteView(part).first(size), file);
  }
  pkcs11::wipe(part);
  file(joined({{0, 0, 0, 0}, element(kOctetString, gcm.tag()), {0, 0, 0, 0, 0, 0}}));
}

AuthEnvelopedData::AuthEnvelopedData(ByteSource file) : reader_(std::move(file)) {
  if (reader_.next_tag() != kSequence) refuse("it does not begin with a SEQUENCE; is it PEM? DER is wanted");
  reader_.enter(kSequence);
  const Bytes type = reader_.read(kObjectIdentifier, kLongestIdentifier);
  if (type == kEnvelopedData)
    refuse("it is EnvelopedData, of which nobody can tell whether it was changed; encrypt it with AES-GCM");
  if (type != kAuthEnvelopedData) refuse("it is of another type");
  reader_.enter(kConstructedContext0);
  reader_.enter(kSequence);
  if (reader_.read(kInteger, 1) != Bytes{0}) refuse("its version is not 0");
  if (reader_.next_tag() == kConstructedContext0) reader_.skip();  // originatorInfo
  read_recipients();
  reader_.enter(kSequence);  // authEncryptedContentInfo
  if (reader_.read(kObjectIdentifier, kLongestIdentifier) != kData) refuse("its content is not plain data");
  read_content_algorithm();
}

AuthEnvelopedData::~AuthEnvelopedData() = default;

void AuthEnvelopedData::read_recipients() {
  reader_.enter(kSet);
  for (std::size_t count = 0; reader_.next_tag(); ++count) {
    if (count == kMostRecipients) refuse("it has too many recipients");
    if (reader_.next_tag() == kKekRecipient)
      read_recipient();
    else
      reader_.skip();
  }
  reader_.leave();
}

void AuthEnvelopedData::read_recipient() {
  KekRecipient recipient{};
  reader_.enter(kKekRecipient);
  reader_.skip();  // version
  reader_.enter(kSequence);
  recipient.key_identifier = reader_.read(kOctetString, kLongestIdentifier);
  while (reader_.next_tag()) reader_.skip();  // date, other
  reader_.leave();
  reader_.enter(kSequence);
  const auto bits = aes_bits(reader_.read(kObjectIdentifier, kLongestIdentifier), kWrap);
  while (reader_.next_tag()) reader_.skip();  // NULL, which some write
  reader_.leave();
  recipient.encrypted_key = reader_.read(kOctetString, kLongestIdentifier);
  reader_.leave();
  if (!bits) return;
  recipient.kek_bits = *bits;
  recipients_.push_back(std::move(recipient));
}

// RFC 5084, section 3.2.
void AuthEnvelopedData::read_content_algorithm() {
  reader_.enter(kSequence);
  const auto bits = aes_bits(reader_.read(kObjectIdentifier, kLongestIdentifier), kGcm);
  if (!bits) refuse("its content is not encrypted by AES-GCM");
  key_size_ = *bits / 8;
  reader_.enter(kSequence);
  nonce_ = reader_.read(kOctetString, 64);
  if (nonce_.empty()) refuse("it has no nonce");
  if (reader_.next_tag()) {
    const Bytes size = reader_.read(kInteger, 1);
    if (size.empty() || size.front() < 12 || size.front() > kTagSize)
      refuse("its tag is not of 12 to 16 bytes");
    tag_size_ = size.front();
  }
  reader_.leave();
  reader_.leave();
}

void AuthEnvelopedData::decrypt(const ContentKey& key, const ByteSink& content) {
  Gcm gcm(Direction::decrypt, key.value(), nonce_);
  std::uint64_t length = 0;
  if (reader_.next_tag()) {
    reader_.read_parts(kContext0, [&](ByteView part) {
      length += part.size();
      if (length > kLongestContent) refuse("its content is longer than AES-GCM protects");
      gcm.process(part, content);
    });
  }
  reader_.leave();
  if (reader_.next_tag() == kConstructedContext1)
    refuse("it has authenticated attributes, which this program does not read");
  const Bytes tag = reader_.read(kOctetString, kTagSize);
  if (tag.size() != tag_size_) refuse("its tag has another size than it says");
  while (reader_.next_tag()) reader_.skip();  // unauthAttrs
  reader_.leave();
  reader_.leave();
  reader_.leave();
  reader_.require_end();
  if (!gcm.has_tag(tag)) throw Error("it was changed after it was encrypted, or damaged: its tag is wrong");
}

}  // namespace keystay::x509
