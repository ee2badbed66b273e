// A whole server with a listener of mode tcp.
#pragma once

#include <string>

#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {

class TcpTest : public HttpTest {
 protected:
  TcpTest() { listener_.mode = config::ListenerMode::tcp; }
  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  [[nodiscard]] bool ended_by(const std::string& end) const {
    return server_->wait_for_metric("keystay_tlsd_relays_total{end=\"" + end + "\",listener=\"https\"}", 1);
  }
  [[nodiscard]] double faults(const std::string& fault) const {
    return server_->metric("keystay_tlsd_backend_faults_total{fault=\"" + fault + "\",listener=\"https\"}");
  }
  [[nodiscard]] bool nothing_left() const {
    return server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0);
  }

  LogCapture log_;
};

// Sends back what it gets, and ends when the other side has.
inline void echo(RawSocket& client) {
  for (std::string data = client.read_some(); !data.empty(); data = client.read_some())
    if (!client.write(data)) return;
}

}  // namespace keystay::test
