#include "tlsd/tls/client_hello.h"

#include <span>

namespace keystay::tlsd {
namespace {

using Bytes = std::span<const unsigned char>;

// What follows a length of two bytes, if that is all of the rest.
Bytes behind_length(Bytes bytes) noexcept {
  if (bytes.size() < 2) return {};
  const std::size_t size = static_cast<std::size_t>(bytes[0]) << 8U | bytes[1];
  return size == bytes.size() - 2 ? bytes.subspan(2) : Bytes{};
}

}  // namespace

std::string_view server_name_of_hello(SSL* ssl) noexcept {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  const Bytes list = behind_length({data, size});
  if (list.empty() || list.front() != TLSEXT_NAMETYPE_host_name) return {};
  const Bytes name = behind_length(list.subspan(1));
  return {reinterpret_cast<const char*>(name.data()), name.size()};
}

}  // namespace keystay::tlsd
