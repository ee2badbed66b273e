// How a server stops: what is in flight is finished, what is idle is closed, and what takes too long is cut.
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class DrainTest : public HttpTest {
 protected:
  // Until all workers have been told, which stop() does not wait for: the thread that tells them answers.
  void stop_and_tell_all() {
    server_->stop();
    RawSocket admin = RawSocket::connect(server_->admin_port());
    EXPECT_NE(send_request(admin, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status, 0U);
  }
};

TEST_F(DrainTest, FinishesRequestsInFlightAndClosesIdleConnections) {
  std::promise<void> in_flight;
  std::promise<void> go_on;
  serve([&](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    if (head.starts_with("GET /slow")) {
      in_flight.set_value();
      go_on.get_future().wait();
    }
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
  });
  TlsClient idle = connect();
  EXPECT_EQ(send_request(idle, kGet).status, 200U);
  TlsClient busy = connect();
  busy.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  in_flight.get_future().wait();
  stop_and_tell_all();
  EXPECT_EQ(idle.read_some(), "");
  EXPECT_TRUE(idle.ended_in_order());
  go_on.set_value();
  const HttpResponse response = read_response(busy);
  EXPECT_EQ(response.body, "done");
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

TEST_F(DrainTest, FinishesAHandshakeAndServesOneRequest) {
  serve(TestBackend::hello());
  TlsClient client(server_->port());
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 1));
  stop_and_tell_all();
  ASSERT_TRUE(client.handshake()) << client.reason();
  const HttpResponse response = send_request(client, kGet);
  EXPECT_EQ(response.status, 200U);
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

TEST_F(DrainTest, DoesNotWaitForAFirstRequestThatDoesNotCome) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  server_->stop();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

// A client sends its next request just when the server is told to stop: it has not been told that there will
// be no other, so it gets its response, which says so.
TEST_F(DrainTest, TakesALastRequestOfEachConnectionAndAnnouncesTheEnd) {
  serve(TestBackend::hello());
  std::vector<TlsClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(connect());
    const HttpResponse response = send_request(clients.back(), kGet);
    EXPECT_EQ(response.status, 200U);
    EXPECT_TRUE(response.keep_alive);
  }
  stop_and_tell_all();
  for (TlsClient& client : clients) client.write(kGet);
  for (TlsClient& client : clients) {
    const HttpResponse response = read_response(client);
    EXPECT_EQ(response.status, 200U);
    EXPECT_FALSE(response.keep_alive);
    EXPECT_EQ(client.read_some(), "");
    EXPECT_TRUE(client.ended_in_order());
  }
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

// The head of its response promised to keep the connection.
TEST_F(DrainTest, TakesALastRequestAfterAResponseThatBeganBefore) {
  std::promise<void> go_on;
  auto released = go_on.get_future().share();
  serve([&](RawSocket& client) {
    for (std::string head = read_until(client, "\r\n\r\n"); !head.empty();
         head = read_until(client, "\r\n\r\n")) {
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
      released.wait();
      client.write("done");
    }
  });
  TlsClient client = connect();
  client.write(kGet);
  read_until(client, "\r\n\r\n");
  stop_and_tell_all();
  go_on.set_value();
  EXPECT_EQ(read_until(client, "done"), "done");
  const HttpResponse response = send_request(client, kGet);
  EXPECT_EQ(response.body, "done");
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

TEST_F(DrainTest, CutsWhatIsLeftAtTheTimeout) {
  settings_.drain_timeout = 100ms;
  serve([](RawSocket& client) { read_to_end(client); });
  TlsClient waiting = connect();
  TlsClient uploading = connect();
  TlsClient silent(server_->port());
  waiting.write(kGet);
  uploading.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 3));
  server_->stop();
  EXPECT_EQ(server_->end(), tlsd::Server::End::cut);
  EXPECT_FALSE(server_->server().stuck());
  EXPECT_EQ(waiting.read_some(), "");
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_connections{listener="https"})"), 0);
}

TEST_F(DrainTest, ASecondStopCutsAtOnce) {
  settings_.drain_timeout = 1h;
  app_.response_timeout = 1h;
  serve([](RawSocket& client) { read_to_end(client); });
  TlsClient waiting = connect();
  waiting.write(kGet);
  server_->stop();
  server_->stop();
  EXPECT_EQ(server_->end(), tlsd::Server::End::cut);
}

TEST_F(DrainTest, SaysSoToBalancers) {
  serve([](RawSocket& client) { read_to_end(client); });
  RawSocket admin = RawSocket::connect(server_->admin_port());
  TlsClient waiting = connect();
  waiting.write(kGet);
  std::string rest;
  admin.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(read_response(admin, rest).status, 204U);
  server_->stop();
  admin.write("GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpResponse response = read_response(admin, rest);
  EXPECT_EQ(response.status, 500U);
  EXPECT_THAT(response.body, HasSubstr("stopping"));
}

TEST_F(DrainTest, FailsNoRequestUnderLoad) {
  serve(TestBackend::hello());
  std::atomic<bool> stopping = false;
  std::atomic<int> served = 0;
  // A client that finds the port closed, or its idle connection ended, is one that came too late. One whose
  // request was taken must get its answer.
  const auto load = [&] {
    int unanswered = 0;
    while (!stopping) {
      try {
        TlsClient client(server_->port());
        if (!client.handshake()) continue;
        for (bool keep_alive = true; keep_alive && !stopping;) {
          if (!client.write(kGet)) break;
          const HttpResponse response = read_response(client);
          if (response.status == 0 && !client.ended_in_order()) ++unanswered;
          if (response.status == 200) ++served;
          keep_alive = response.status == 200 && response.keep_alive;
        }
      } catch (const std::system_error&) {
        break;  // nobody listens any more
      }
    }
    return unanswered;
  };
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::async(std::launch::async, load));
  while (served < 200) std::this_thread::yield();
  server_->stop();
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
  stopping = true;
  for (auto& client : clients) EXPECT_EQ(client.get(), 0);
}

}  // namespace
}  // namespace keystay::test
