#include "tlsd/http/body_limit.h"

#include <string>

#include <fmt/format.h>

namespace keystay::tlsd {
namespace {

// Boost's categories are never deleted through their base, whose destructor is not virtual.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class BodyLimitCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "body limit"; }

  std::string message(int value) const override {
    constexpr std::size_t kKib = 1024;
    switch (static_cast<BodyLimit>(value)) {
      case BodyLimit::chunk_extensions:
        return fmt::format("the chunk extensions exceed {} KiB", kMostChunkExtensions / kKib);
      case BodyLimit::chunk_line:
        return fmt::format("the line of a chunk exceeds {} KiB", kMostUnparsed / kKib);
      case BodyLimit::trailer_section:
        return "the trailer section is too large, or has too many fields";
    }
    return "a limit of the body";
  }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& body_limit_category() noexcept {
  static const BodyLimitCategory category;
  return category;
}

}  // namespace keystay::tlsd
