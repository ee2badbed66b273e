// Every request, and every connection of mode tcp, is a line of the access log that says what became of it.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <regex>
#include <string>
#include <thread>

#include <openssl/ssl.h>

#include "tests/support/process.h"
#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AccessLogTest : public HttpTest {
 protected:
  void log_to(const std::string& file, config::AccessLogFormat format) {
    listener_.access_log = {(directory_.path() / file).string(), format};
  }
  void log_json() { log_to("access.log", config::AccessLogFormat::json); }
  void log_combined() { log_to("access.log", config::AccessLogFormat::combined); }

  // What the file has once it has so many lines; the thread that writes it is not waited for otherwise.
  [[nodiscard]] std::string lines(std::size_t count = 1, const std::string& file = "access.log") const {
    const auto end = std::chrono::steady_clock::now() + 30s;
    for (;;) {
      std::ifstream in(directory_.path() / file, std::ios::binary);
      std::string text(std::istreambuf_iterator<char>(in), {});
      const auto there = static_cast<std::size_t>(std::ranges::count(text, '\n'));
      if (there >= count || std::chrono::steady_clock::now() > end) return text;
      std::this_thread::sleep_for(2ms);
    }
  }

  [[nodiscard]] std::string app() const {
    return R"("backend":"app","server":"127.0.0.1:)" + std::to_string(backend_->port()) + "\"";
  }

  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  LogCapture log_;
};

TEST_F(AccessLogTest, TheCombinedFormatIsThatOfApacheAndNginx) {
  log_combined();
  serve(TestBackend::hello("12345"));
  EXPECT_EQ(answer("GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nReferer: https://a.example/\r\n"
                   "User-Agent: \"agent\\ caf\xE9\r\n\r\n")
                .status,
            200U);
  const std::regex form(
      R"re(127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] )re"
      R"re("GET /a\?b=c HTTP/1\.1" 200 5 "https://a\.example/" "\\x22agent\\x5C caf\\xE9"\n)re");
  const std::string line = lines();
  EXPECT_TRUE(std::regex_match(line, form)) << line;
}

TEST_F(AccessLogTest, JsonSaysWhatIsKnownOfARequest) {
  log_json();
  serve(TestBackend::hello("12345"));
  const std::string request = "GET /a?b=%22 HTTP/1.1\r\nHost: localhost:8443\r\nUser-Agent: \"x\"\r\n\r\n";
  TlsClient client(server_->port(), {.server_name = "localhost", .version = TLS1_3_VERSION});
  ASSERT_TRUE(client.handshake());
  client.write(request);
  const std::string response = read_until(client, "12345");
  const std::string line = lines();
  EXPECT_TRUE(std::regex_search(
      line, std::regex(R"re(^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","type":"request",)re")))
      << line;
  EXPECT_TRUE(std::regex_search(line, std::regex(R"re("duration":\d+\.\d{6},"first_byte":\d+\.\d{6},)re")))
      << line;
  EXPECT_THAT(line, AllOf(HasSubstr(R"("listener":"https","client":"127.0.0.1","client_port":)"),
                          HasSubstr(R"("method":"GET","target":"/a?b=%22","protocol":"HTTP/1.1")"),
                          HasSubstr(R"("host":"localhost:8443","status":200,"user_agent":"\"x\"")"),
                          HasSubstr("\"bytes_in\":" + std::to_string(request.size()) + ",\"bytes_out\":" +
                                    std::to_string(response.size()) + ",\"body_bytes_out\":5,"),
                          HasSubstr(R"("end":"complete",)" + app())));
  EXPECT_THAT(line, AllOf(HasSubstr(R"("tls_version":"TLSv1.3","tls_cipher":"TLS_)"),
                          HasSubstr(R"("server_name":"localhost","resumed":false,"handshake_time":0.)"),
                          HasSubstr(R"("sign_time":0.000000)"), Not(HasSubstr("client_subject"))));
}

TEST_F(AccessLogTest, EachRequestOfAConnectionHasItsOwnBytes) {
  log_json();
  serve(TestBackend::hello());
  TlsClient client = connect();
  const std::string second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
  client.write(kGet + second);  // at once
  std::string rest;
  read_response(client, rest);
  read_response(client, rest);
  const std::string text = lines(2);
  const auto first_line = text.substr(0, text.find('\n'));
  const auto second_line = text.substr(text.find('\n') + 1);
  EXPECT_THAT(first_line, AllOf(HasSubstr(R"("target":"/")"),
                                HasSubstr("\"bytes_in\":" + std::to_string(sizeof kGet - 1) + ",")));
  EXPECT_THAT(second_line, AllOf(HasSubstr(R"("target":"/second")"),
                                 HasSubstr("\"bytes_in\":" + std::to_string(second.size()) + ",")));
}

TEST_F(AccessLogTest, ARefusedRequestHasTheLineThatTheClientSent) {
  log_json();
  serve(TestBackend::hello());
  EXPECT_EQ(answer("GET /a\x01\"\\b HTTP/1.1\r\nHost: a\r\n\r\n").status, 400U);
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("method":"GET","target":"/a\u0001\"\\b","protocol":"HTTP/1.1")"),
                             HasSubstr(R"("status":400)"), HasSubstr(R"("end":"complete")"),
                             Not(HasSubstr("\"backend\""))));
}

TEST_F(AccessLogTest, ABackendThatFailsIsNamedWithTheAnswer) {
  log_json();
  serve(TestBackend::answer_once("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  EXPECT_EQ(answer(kGet).status, 502U);
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("status":502)"), HasSubstr(app())));
}

TEST_F(AccessLogTest, AResponseThatIsBrokenOffSaysByWhom) {
  log_json();
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  TlsClient client = connect();
  client.write(kGet);
  read_to_end(client);
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("status":200)"), HasSubstr(R"("body_bytes_out":4,)"),
                             HasSubstr(R"("end":"backend")")));
}

TEST_F(AccessLogTest, AClientThatLeavesBeforeTheResponseIs499) {
  log_json();
  std::promise<void> seen;
  serve([&](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    seen.set_value();
    read_to_end(client);
  });
  {
    TlsClient client = connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    seen.get_future().wait();
  }
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("status":499)"), HasSubstr(R"("end":"client")"),
                             Not(HasSubstr("first_byte"))));
}

TEST_F(AccessLogTest, AClientThatLeavesInItsHeadIsALineAndAMetric) {
  log_json();
  serve(TestBackend::hello());
  {
    TlsClient client = connect();
    client.write("GET /unfinished HTTP/1.1\r\nHost:");
  }
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("target":"/unfinished")"), HasSubstr(R"("status":499)"),
                             HasSubstr(R"("end":"client")")));
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_responses_broken_total{by="client",listener="https"})", 1));
}

TEST_F(AccessLogTest, DamagedTlsIsALineOfTheLog) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  client.socket().write("this is no TLS, and never was");
  EXPECT_TRUE(log_.wait_for("connection broken off by the client: what it sent is no TLS, or is damaged"))
      << log_.text();
}

TEST_F(AccessLogTest, ATunnelIsALineAtItsEnd) {
  log_json();
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    client.write(client.read_some());
    read_to_end(client);
  });
  TlsClient client = connect();
  client.write(
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
      "abc\r\n\r\n");
  read_until(client, "\r\n\r\n");
  client.write("frame");
  EXPECT_EQ(read_until(client, "frame"), "frame");
  client.send_close_notify();
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("target":"/chat")"), HasSubstr(R"("status":101)"),
                             HasSubstr(R"("end":"complete")")));
}

TEST_F(AccessLogTest, ATunnelThatItsServerBreaksOffIsALineOfTheLog) {
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    static_cast<void>(client.read_some());
    client.reset();
  });
  TlsClient client = connect();
  client.write(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
      "a\r\n\r\n");
  read_until(client, "\r\n\r\n");
  client.write("frame");
  read_to_end(client);
  EXPECT_TRUE(log_.wait_for("warning: listener https: client 127.0.0.1:")) << log_.text();
  EXPECT_THAT(log_.text(), HasSubstr("tunnel broken off: backend app, 127.0.0.1:"));
}

TEST_F(AccessLogTest, AResumedConnectionSaysSo) {
  log_json();
  serve(TestBackend::hello());
  TlsClient first = connect();
  EXPECT_EQ(send_request(first, kGet).status, 200U);
  const SslSession session = first.session();
  TlsClient second(server_->port(), {.session = session.get()});
  ASSERT_TRUE(second.handshake());
  EXPECT_EQ(send_request(second, kGet).status, 200U);
  const std::string text = lines(2);
  EXPECT_THAT(text.substr(text.find('\n')), HasSubstr(R"("resumed":true)"));
}

TEST_F(AccessLogTest, AClientIsNamedByItsCertificate) {
  log_json();
  listener_.clients =
      config::ClientCertificates{directory_.write("ca.pem", test_ca().root_pem()).string(), {}};
  serve(TestBackend::hello());
  LeafOptions options;
  options.dns_names = {"web-1.example"};
  options.usage = "clientAuth";
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, options);
  TlsClient client(server_->port(), {.identity = &identity});
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  EXPECT_TRUE(std::regex_search(
      lines(),
      std::regex(R"re("client_subject":"CN=web-1\.example[^"]*","client_fingerprint":"[0-9a-f]{64}"\})re")))
      << lines();
}

TEST_F(AccessLogTest, AConnectionOfModeTcpIsALine) {
  listener_.mode = config::ListenerMode::tcp;
  const auto echo_once = [](RawSocket& client) { client.write("re: " + client.read_some()); };
  for (
      const auto& [format, form] :
      {std::pair(config::AccessLogFormat::combined,
                 R"re(127\.0\.0\.1 - - \[[^\]]+\] "TCP https TLSv1\.[23]" 200 8 "-" "-"\n)re"),
       std::pair(
           config::AccessLogFormat::json,
           R"re(\{"time":"[^"]+","type":"connection","listener":"https","client":"127\.0\.0\.1","client_port":\d+,)re"
           R"re("bytes_in":4,"bytes_out":8,"duration":[0-9.]+,"end":"complete","backend":"app",)re"
           R"re("server":"127\.0\.0\.1:\d+","tls_version":"TLSv1\.[23]",.*\}\n)re")}) {
    const std::string file = format == config::AccessLogFormat::json ? "json" : "combined";
    log_to(file, format);
    serve(echo_once);
    TlsClient client = connect();
    client.write("ping");
    EXPECT_EQ(read_until(client, "ping"), "re: ping");
    client.send_close_notify();
    const std::string line = lines(1, file);
    EXPECT_TRUE(std::regex_match(line, std::regex(form))) << line;
  }
}

TEST_F(AccessLogTest, ATcpServerThatCannotBeReachedIs502) {
  log_json();
  listener_.mode = config::ListenerMode::tcp;
  settings_.backends["app"].servers = {{"127.0.0.1", free_port()}};
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client = connect();
  read_to_end(client);
  EXPECT_THAT(lines(), HasSubstr(R"("end":"backend","backend":"app")"));
}

TEST_F(AccessLogTest, AReloadChangesWhereLinesGo) {
  serve(TestBackend::hello());
  server_.reset();
  config::TlsdSettings next = settings_;
  server_ = std::make_unique<TestServer>(settings_, [&next] { return next; });
  TlsClient client = connect();
  EXPECT_EQ(send_request(client, kGet).status, 200U);  // without a log
  const auto reload = [&](double count, const std::string& result = "succeeded") {
    server_->server().reload();
    return server_->wait_for_metric("keystay_tlsd_reloads_total{result=\"" + result + "\"}", count);
  };
  next.listeners.front().access_log.target = (directory_.path() / "first").string();
  ASSERT_TRUE(reload(1));
  EXPECT_EQ(send_request(client, kGet).status, 200U);  // of the connection that was there
  EXPECT_NE(lines(1, "first"), "");
  next.listeners.front().access_log.target = (directory_.path() / "none" / "second").string();
  ASSERT_TRUE(reload(1, "failed"));
  EXPECT_THAT(log_.text(), HasSubstr("reload: nothing was changed: access-log: cannot open "));
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  EXPECT_EQ(std::ranges::count(lines(2, "first"), '\n'), 2);
}

TEST_F(AccessLogTest, IsOpenedAgainOnDemand) {
  log_combined();
  serve(TestBackend::hello());
  EXPECT_EQ(answer(kGet).status, 200U);
  EXPECT_NE(lines(), "");
  std::filesystem::rename(directory_.path() / "access.log", directory_.path() / "access.log.1");
  server_->server().reopen_access_logs();
  EXPECT_TRUE(log_.wait_for("opened again")) << log_.text();
  EXPECT_EQ(answer(kGet).status, 200U);
  EXPECT_EQ(std::ranges::count(lines(), '\n'), 1);
  EXPECT_EQ(std::ranges::count(lines(1, "access.log.1"), '\n'), 1);
}

TEST_F(AccessLogTest, TheLastLinesAreWrittenBeforeTheEnd) {
  log_combined();
  serve(TestBackend::hello());
  EXPECT_EQ(answer(kGet).status, 200U);
  server_->stop();
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
  std::ifstream in(directory_.path() / "access.log");
  std::string line;
  EXPECT_TRUE(std::getline(in, line));
}

}  // namespace
}  // namespace keystay::test
