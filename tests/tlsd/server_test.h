// A whole server in the test's process, with one listener and one backend.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tlsd/http_response.h"
#include "tests/tlsd/test_backend.h"
#include "tests/tlsd/test_server.h"
#include "tests/tlsd/tls_client.h"
#include "tlsd/server.h"

namespace keystay::test {

inline constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ServerTest : public testing::Test {
 protected:
  std::string certificate(const std::string& file, KeyKind kind, std::vector<std::string> names) {
    return write_certificate(directory_, file, kind, std::move(names));
  }

  // The leaf that a client gets; the reason if the handshake fails.
  static std::string leaf(TestServer& server, const TlsClientOptions& options) {
    TlsClient client(server.port(), options);
    return client.handshake() ? client.leaf() : client.reason();
  }

  TemporaryDirectory directory_;
  TestBackend backend_{TestBackend::hello()};
  config::TlsdSettings settings_ = simple_settings(directory_, backend_.port());
  config::ListenerSettings& listener_ = settings_.listeners.front();
};

}  // namespace keystay::test
