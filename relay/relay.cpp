#include "relay/relay.h"

#include <algorithm>
#include <array>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <openssl/crypto.h>

#include "native/remote/relay_protocol.h"
#include "relay/connect.h"
#include "relay/time_limit.h"

namespace keystay::relay {
namespace {

constexpr std::size_t kPiece = 16384;  // a record of TLS
constexpr std::chrono::milliseconds kFarewell{1000};

template <typename From, typename To>
awaitable<void> pump(From& from, To& to) {
  std::array<unsigned char, kPiece> piece;
  for (;;) {
    const auto [error, size] = co_await from.async_read_some(asio::buffer(piece), kOutcome);
    if (error) co_return;
    const auto [write_error, written] =
        co_await asio::async_write(to, asio::buffer(piece.data(), size), kOutcome);
    OPENSSL_cleanse(piece.data(), size);
    if (write_error) co_return;
  }
}

awaitable<void> to_token(Local& local, Tls& tls) {
  co_await pump(local, tls);
  const TimeLimit limit(tls.get_executor(), kFarewell, [&tls] {
    error_code ignored;
    tls.next_layer().close(ignored);
  });
  static_cast<void>(co_await tls.async_shutdown(kOutcome));
  error_code ignored;
  tls.next_layer().close(ignored);
}

// The other side sees at once that nothing comes any more.
awaitable<void> from_token(Tls& tls, Local& local) {
  co_await pump(tls, local);
  error_code ignored;
  local.shutdown(Local::shutdown_both, ignored);
}

}  // namespace

awaitable<void> relay(Local local, pkcs11::Pin password, const config::RemoteSettings& settings) {
  Reached reached = co_await connect(settings, password);
  const bool connected = reached.tls != nullptr;
  std::string line =
      connected ? remote::format_reached({reached.version, reached.endpoint}) : "-" + reached.endpoint;
  // Names in the endpoint's certificate may have any character.
  std::ranges::replace_if(
      line, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  line += '\n';
  static_cast<void>(co_await asio::async_write(local, asio::buffer(line), kOutcome));
  if (!connected) co_return;
  using asio::experimental::awaitable_operators::operator&&;
  Tls& tls = *reached.tls;
  co_await (to_token(local, tls) && from_token(tls, local));
}

}  // namespace keystay::relay
