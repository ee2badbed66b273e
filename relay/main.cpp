// keystay-relay: makes the connections to a token on another machine for the process that has started it, and
// ends with it. It knows nothing of what it carries. Nobody starts it by hand.
#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>

#include "native/remote/relay_protocol.h"
#include "relay/control.h"
#include "relay/relay.h"

namespace keystay::relay {
namespace {

using Descriptor = asio::posix::stream_descriptor;

void serve(asio::io_context& context, int socket, pkcs11::Pin password,
           const config::RemoteSettings& settings) {
  asio::co_spawn(context,
                 relay(Local(context, asio::local::stream_protocol(), socket), std::move(password), settings),
                 asio::detached);
}

// Takes connections until the end of the process that is served.
awaitable<void> take_connections(asio::io_context& context, const config::RemoteSettings& settings) {
  Descriptor control(context, remote::kControlDescriptor);
  for (;;) {
    const auto [error] = co_await control.async_wait(Descriptor::wait_read, kOutcome);
    const auto message = error ? std::nullopt : receive_message(remote::kControlDescriptor);
    if (!message) break;
    if (message->descriptor && !message->view().empty())
      serve(context, *message->descriptor, pkcs11::Pin(message->view().substr(1)), settings);
  }
  context.stop();
}

// A pidfd becomes readable when its process has ended.
awaitable<void> wait_for_process(asio::io_context& context) {
  Descriptor process(context, remote::kProcessDescriptor);
  static_cast<void>(co_await process.async_wait(Descriptor::wait_read, kOutcome));
  context.stop();
}

int run() {
  // It ends with the process that it serves, which may have work to finish when both are told to stop.
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0);  // PINs pass through
  // openssl.cnf may load providers, Keystay's among them.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  const auto first = receive_message(remote::kControlDescriptor);
  if (!first) return 0;
  const config::RemoteSettings settings = remote::parse_relay_settings(first->view());
  asio::io_context context(1);
  asio::co_spawn(context, take_connections(context, settings), asio::detached);
  if (::fcntl(remote::kProcessDescriptor, F_GETFD) >= 0)
    asio::co_spawn(context, wait_for_process(context), asio::detached);
  context.run();
  return 0;
}

}  // namespace
}  // namespace keystay::relay

int main() {
  if (::fcntl(keystay::remote::kControlDescriptor, F_GETFD) < 0) {
    std::fputs("keystay-relay is started by the programs that use a token on another machine\n", stderr);
    return 2;
  }
  try {
    return keystay::relay::run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "keystay-relay: %s\n", error.what());
    return 1;
  }
}
