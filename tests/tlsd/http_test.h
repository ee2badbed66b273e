// A server in front of a backend that does what the test says.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tlsd/http_response.h"
#include "tests/tlsd/test_backend.h"
#include "tests/tlsd/test_server.h"
#include "tests/tlsd/tls_client.h"

namespace keystay::test {

inline constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class HttpTest : public testing::Test {
 protected:
  void serve(TestBackend::Handler handler) {
    backend_ = std::make_unique<TestBackend>(std::move(handler));
    settings_.backends["app"].servers = {{"127.0.0.1", backend_->port()}};
    server_ = std::make_unique<TestServer>(settings_);
  }

  [[nodiscard]] TlsClient connect() const {
    TlsClient client(server_->port());
    EXPECT_TRUE(client.handshake()) << client.reason();
    return client;
  }

  // The response to one request on a connection of its own.
  [[nodiscard]] HttpResponse answer(std::string_view request) const {
    TlsClient client = connect();
    return send_request(client, request);
  }

  TemporaryDirectory directory_;
  config::TlsdSettings settings_ = simple_settings(directory_, 1);
  config::ListenerSettings& listener_ = settings_.listeners.front();
  config::BackendSettings& app_ = settings_.backends["app"];
  std::unique_ptr<TestBackend> backend_;
  std::unique_ptr<TestServer> server_;
};

}  // namespace keystay::test
