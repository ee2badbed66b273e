#include "provider/signature/pss_encoding.h"

#include <algorithm>
#include <array>

#include <openssl/rand.h>

namespace keystay::provider {
namespace {

using pkcs11::ByteView;

// A hash over several pieces.
class Hasher final {
 public:
  Hasher(const Digest& digest, Software& software) : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex2(context_.get(), software.fetch(digest), nullptr) != 1) {
      throw SoftwareFailure("EVP_DigestInit_ex2");
    }
  }
  Hasher& update(ByteView bytes) {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1)
      throw SoftwareFailure("EVP_DigestUpdate");
    return *this;
  }
  void finish(std::uint8_t* out) {
    if (EVP_DigestFinal_ex(context_.get(), out, nullptr) != 1) throw SoftwareFailure("EVP_DigestFinal_ex");
  }

 private:
  x509::EvpMdContext context_;
};

// MGF1 (RFC 8017, section B.2.1), combined with `block` by exclusive or.
void mask(std::span<std::uint8_t> block, ByteView seed, const Digest& digest, Software& software) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> piece;
  std::uint32_t counter = 0;
  for (std::size_t offset = 0; offset < block.size(); offset += digest.size, ++counter) {
    const std::array<std::uint8_t, 4> octets{
        static_cast<std::uint8_t>(counter >> 24), static_cast<std::uint8_t>(counter >> 16),
        static_cast<std::uint8_t>(counter >> 8), static_cast<std::uint8_t>(counter)};
    Hasher(digest, software).update(seed).update(octets).finish(piece.data());
    const std::size_t length = std::min(digest.size, block.size() - offset);
    for (std::size_t i = 0; i < length; ++i) block[offset + i] ^= piece[i];
  }
}

}  // namespace

void encode_pss(const Pss& pss, ByteView digest, std::size_t modulus_bits, std::span<std::uint8_t> encoded,
                Software& software) {
  const std::size_t em_bits = modulus_bits - 1;
  const std::size_t em_length = (em_bits + 7) / 8;
  std::fill(encoded.begin(), encoded.end(), std::uint8_t{0});
  // With a modulus of 8n + 1 bits the encoding is one byte shorter than the modulus.
  const auto em = encoded.last(em_length);
  const std::size_t hash_length = pss.hash->size;
  if (digest.size() != hash_length || em_length < hash_length + pss.salt_length + 2) {
    throw Error(Reason::unsupported, "PSS: digest and salt are too long for this RSA key");
  }
  const auto db = em.first(em_length - hash_length - 1);
  const auto salt = db.last(pss.salt_length);
  if (!salt.empty() && RAND_bytes_ex(software.libctx(), salt.data(), salt.size(), 0) != 1) {
    throw SoftwareFailure("RAND_bytes_ex");
  }
  const auto h = em.subspan(db.size(), hash_length);
  constexpr std::array<std::uint8_t, 8> kPadding1{};
  Hasher(*pss.hash, software).update(kPadding1).update(digest).update(salt).finish(h.data());

  db[db.size() - pss.salt_length - 1] = 0x01;
  mask(db, h, *pss.mgf1, software);
  db[0] &= static_cast<std::uint8_t>(0xff >> (8 * em_length - em_bits));
  em.back() = 0xbc;
}

}  // namespace keystay::provider
