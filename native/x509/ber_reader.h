// BER (X.690) as it comes: elements that may be longer than memory, of definite or indefinite length, one
// after the other. What is read is somebody else's: depth and sizes are bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "native/pkcs11/cryptoki.h"

namespace keystay::x509 {

// Fills the place from its beginning and returns how many bytes; fewer than asked for only at the end.
using ByteSource = std::function<std::size_t(std::span<std::uint8_t> place)>;

// Class, form and number in one byte: all that CMS needs. Throws Error for bytes that are no BER.
class BerReader final {
 public:
  explicit BerReader(ByteSource source) : source_(std::move(source)) {}

  // The tag of the next element of the one that is open; nothing at its end.
  [[nodiscard]] std::optional<std::uint8_t> next_tag();
  // Goes into the next element, which must have this tag and be constructed; leave() must find its end.
  void enter(std::uint8_t tag);
  void leave();
  // A primitive one, or an OCTET STRING in parts (section 8.7.3), of at most `most` bytes. `tag` is the
  // primitive form's.
  [[nodiscard]] pkcs11::Bytes read(std::uint8_t tag, std::size_t most);
  // The same of any length: each part goes to `take` as it is read.
  void read_parts(std::uint8_t tag, const std::function<void(pkcs11::ByteView)>& take);
  void skip();
  // Throws Error unless nothing follows.
  void require_end();

 private:
  struct Header {
    std::uint8_t tag;
    std::optional<std::uint64_t> length;  // nothing: indefinite
  };

  [[nodiscard]] std::uint8_t byte();
  void bytes(std::span<std::uint8_t> place);
  [[nodiscard]] Header header();
  [[nodiscard]] Header take_header();
  void open(const Header& header);
  void read_content(const Header& header, const std::function<void(pkcs11::ByteView)>& take);

  ByteSource source_;
  std::uint64_t position_ = 0;
  std::optional<Header> peeked_;
  pkcs11::Bytes part_;                              // what was read last
  std::vector<std::optional<std::uint64_t>> ends_;  // of the open elements, by position; nothing: indefinite
};

}  // namespace keystay::x509
