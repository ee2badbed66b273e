#include "native/x509/ber_reader.h"

#include <algorithm>
#include <array>

#include "native/x509/error.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

constexpr std::uint8_t kConstructed = 0x20;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kHighTagNumber = 0x1F;
constexpr std::uint8_t kIndefinite = 0x80;
constexpr std::size_t kDeepest = 24;
constexpr std::size_t kPart = std::size_t{64} << 10U;

[[noreturn]] void fail(const char* what) {
  throw Error(std::string("this is no BER as CMS has it: ") + what);
}

}  // namespace

std::uint8_t BerReader::byte() {
  std::uint8_t value = 0;
  bytes({&value, 1});
  return value;
}

void BerReader::bytes(std::span<std::uint8_t> place) {
  if (source_(place) != place.size()) fail("it ends too early");
  position_ += place.size();
}

// Section 8.1.
BerReader::Header BerReader::header() {
  const std::uint8_t tag = byte();
  if ((tag & kHighTagNumber) == kHighTagNumber) fail("a tag of more than one byte");
  const std::uint8_t first = byte();
  if (first < kIndefinite) return {tag, first};
  if (first == kIndefinite) {
    if ((tag & kConstructed) == 0) fail("a primitive element of indefinite length");
    return {tag, std::nullopt};
  }
  const std::size_t size = first & 0x7FU;
  if (size > 8) fail("a length of more than 64 bits");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < size; ++i) length = length << 8U | byte();
  return {tag, length};
}

BerReader::Header BerReader::take_header() {
  if (!next_tag()) fail("an element is missing");
  return *std::exchange(peeked_, std::nullopt);
}

std::optional<std::uint8_t> BerReader::next_tag() {
  if (peeked_) return peeked_->tag == 0 ? std::nullopt : std::optional(peeked_->tag);
  if (!ends_.empty() && ends_.back() && position_ >= *ends_.back()) return std::nullopt;
  peeked_ = header();
  if (peeked_->tag != 0) {
    if (!ends_.empty() && ends_.back() && position_ > *ends_.back())
      fail("an element reaches beyond its parent");
    return peeked_->tag;
  }
  // End-of-contents, section 8.1.5: where an element of indefinite length is open.
  if (ends_.empty() || ends_.back() || peeked_->length != 0U) fail("an end without a beginning");
  return std::nullopt;
}

void BerReader::open(const Header& header) {
  if (ends_.size() >= kDeepest) fail("it is nested too deeply");
  if (!header.length) {
    ends_.emplace_back(std::nullopt);
    return;
  }
  const std::uint64_t end = position_ + *header.length;
  if (end < position_) fail("a length beyond all bounds");
  const auto parent =
      std::find_if(ends_.rbegin(), ends_.rend(), [](const auto& other) { return other.has_value(); });
  if (parent != ends_.rend() && end > **parent) fail("an element reaches beyond its parent");
  ends_.emplace_back(end);
}

void BerReader::enter(std::uint8_t tag) {
  const Header header = take_header();
  if (header.tag != tag) fail("another element than expected");
  if ((tag & kConstructed) == 0) fail("a primitive element that should have parts");
  open(header);
}

void BerReader::leave() {
  if (next_tag()) fail("more elements than expected");
  peeked_.reset();
  ends_.pop_back();
}

// In parts, section 8.7.3.2: OCTET STRINGs, which may be in parts again.
void BerReader::read_content(const Header& header, const std::function<void(ByteView)>& take) {
  open(header);
  if ((header.tag & kConstructed) != 0) {
    while (const auto tag = next_tag()) {
      if ((*tag & ~kConstructed) != kOctetString) fail("a part that is no OCTET STRING");
      read_content(take_header(), take);
    }
    return leave();
  }
  part_.resize(kPart);
  for (std::uint64_t left = *header.length; left > 0;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(part_.size(), left));
    bytes(std::span(part_).first(size));
    take(ByteView(part_).first(size));
    left -= size;
  }
  ends_.pop_back();
}

void BerReader::read_parts(std::uint8_t tag, const std::function<void(ByteView)>& take) {
  const Header header = take_header();
  if ((header.tag & ~kConstructed) != tag) fail("another element than expected");
  read_content(header, take);
}

Bytes BerReader::read(std::uint8_t tag, std::size_t most) {
  Bytes value;
  read_parts(tag, [&](ByteView part) {
    if (value.size() + part.size() > most) fail("an element that is too long");
    value.insert(value.end(), part.begin(), part.end());
  });
  return value;
}

void BerReader::skip() {
  const Header header = take_header();
  open(header);
  if ((header.tag & kConstructed) != 0) {
    while (next_tag()) skip();
    return leave();
  }
  std::array<std::uint8_t, 4096> dropped{};
  for (std::uint64_t left = *header.length; left > 0;) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(dropped.size(), left));
    bytes(std::span(dropped).first(size));
    left -= size;
  }
  ends_.pop_back();
}

void BerReader::require_end() {
  std::uint8_t more = 0;
  if (source_({&more, 1}) != 0) fail("something follows it");
}

}  // namespace keystay::x509
