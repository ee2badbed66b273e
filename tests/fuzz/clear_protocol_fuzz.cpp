// What clients send before TLS where `starttls` says so, and how servers greet. The first byte chooses the
// protocol.
#include <array>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"
#include "tlsd/starttls/protocol.h"

namespace keystay::test {
namespace {

using tlsd::ClearReply;
using tlsd::ServerGreeting;

constexpr std::array kProtocols{config::StartTls::smtp, config::StartTls::imap, config::StartTls::pop3,
                                config::StartTls::ldap, config::StartTls::postgresql};

void answer(const tlsd::ClearProtocol& protocol, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = protocol.size_of(bytes);
    require(size <= bytes.size(), "a message ends within what has come");
    if (size == 0) return;
    const ClearReply reply = protocol.reply(bytes.substr(0, size));
    require(reply.text.size() < 256 + size, "replies are short");
    require(reply.then != ClearReply::Then::tls || !reply.text.empty(), "a request for TLS is answered");
    if (reply.then != ClearReply::Then::go_on) return;
    bytes.remove_prefix(size);
  }
}

void greet(const tlsd::ClearProtocol& protocol, std::string_view bytes) {
  if (protocol.server_greeting == nullptr) return;
  const ServerGreeting greeting = protocol.server_greeting(bytes);
  require(greeting.size <= bytes.size(), "a greeting ends within what has come");
  require((greeting.kind == ServerGreeting::Kind::ready) == (greeting.size > 0),
          "only a greeting is left out");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& protocol = keystay::tlsd::clear_protocol(keystay::test::kProtocols.at(data[0] % 5));
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  keystay::test::answer(protocol, bytes);
  keystay::test::greet(protocol, bytes);
  return 0;
}
