// Headers of the PROXY protocol, versions 1 and 2, with what follows them.
#include <string_view>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"
#include "tlsd/accept/proxy_header.h"

namespace keystay::test {
namespace {

using tlsd::ProxyHeader;

void parse(std::string_view bytes) {
  const ProxyHeader header = tlsd::parse_proxy_header(bytes);
  require((header.state == ProxyHeader::State::bad) != header.reason.empty(), "what is bad has a reason");
  if (header.state == ProxyHeader::State::incomplete)
    require(bytes.size() < tlsd::kMostProxyHeader, "a header ends before it is too long");
  if (header.state != ProxyHeader::State::complete) return;
  require(header.size > 0 && header.size <= bytes.size() && header.size <= tlsd::kMostProxyHeader,
          "a header ends within what has come");
  if (header.connection) {
    require(header.connection->client.address().is_v4() == header.connection->server.address().is_v4(),
            "both ends of a connection are of one family");
  }
  for (std::size_t size = 1; size < header.size; ++size) {
    require(tlsd::parse_proxy_header(bytes.substr(0, size)).state == ProxyHeader::State::incomplete,
            "a part of a header is incomplete, however it is cut");
  }
  require(tlsd::parse_proxy_header(bytes.substr(0, header.size)).state == ProxyHeader::State::complete,
          "what follows a header does not matter");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
