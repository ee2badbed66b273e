#include "native/pkcs11/siphash.h"

#include <bit>
#include <cstddef>

namespace keystay::pkcs11 {
namespace {

// The names are those of the paper, section 2.
struct State {
  std::uint64_t v0, v1, v2, v3;

  void sip_round() noexcept {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  void compress(std::uint64_t word) noexcept {
    v3 ^= word;
    sip_round();
    sip_round();
    v0 ^= word;
  }
};

// Up to eight bytes, little-endian.
std::uint64_t word_of(ByteView bytes) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

}  // namespace

std::uint64_t siphash(const SipHashKey& key, ByteView message) noexcept {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  const std::uint64_t size = message.size();
  for (; message.size() >= 8; message = message.subspan(8)) state.compress(word_of(message.first(8)));
  state.compress(size << 56 | word_of(message));
  state.v2 ^= 0xff;
  for (int round = 0; round < 4; ++round) state.sip_round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace keystay::pkcs11
