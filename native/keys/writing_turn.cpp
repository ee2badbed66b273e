#include "native/keys/writing_turn.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>

namespace keystay::keys {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongest = 30s;
constexpr auto kBetweenTries = 2ms;

// Serial numbers are unique for one manufacturer and model (PKCS #11 v3.0, section 3.2); 16 + 32 + 16 bytes.
std::string name_of(const pkcs11::TokenInfo& token) {
  return "keystay-writer/" + token.serial + "/" + token.model + "/" + token.manufacturer;
}

bool bind_to(int socket, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  std::memcpy(&address.sun_path[1], name.data(), length);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0;
}

}  // namespace

WritingTurn::WritingTurn(const pkcs11::TokenInfo& token)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const std::string name = name_of(token);
  const auto until = std::chrono::steady_clock::now() + kLongest;
  while (!bind_to(socket_.get(), name) && errno == EADDRINUSE && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kBetweenTries);
}

}  // namespace keystay::keys
