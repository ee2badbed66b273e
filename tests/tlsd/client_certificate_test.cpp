// Listeners that serve some clients only: by certificate, by its names, by address. And servers behind a UNIX
// socket, which have no other guard than that.
#include <array>
#include <cerrno>
#include <functional>
#include <future>
#include <string>
#include <system_error>
#include <thread>

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/support/descriptor.h"
#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

LeafOptions client_leaf() {
  LeafOptions options;
  options.dns_names = {"web-1.example"};
  options.ip_addresses = {};
  options.uris = {"spiffe://example/web"};
  options.usage = "clientAuth";
  return options;
}

class ClientCertificateTest : public HttpTest {
 protected:
  void SetUp() override { listener_.clients = config::ClientCertificates{write_ca(test_ca()), {}}; }
  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  [[nodiscard]] std::string write_ca(const TestCa& ca) const {
    return directory_.write("clients-ca.pem", ca.root_pem()).string();
  }

  // What a client with this certificate, or without one, gets; empty if it gets nothing.
  [[nodiscard]] std::string answer_to(const SoftwareIdentity* identity, int version = TLS1_3_VERSION) const {
    TlsClient client(server_->port(), {.version = version, .identity = identity});
    // In TLS 1.3 the client is done before the server has seen its certificate.
    if (!client.handshake() || !client.write(kGet)) return {};
    return client.read_some();
  }
  void expect_refusal(const std::string& reason) const {
    EXPECT_TRUE(log_.wait_for("TLS handshake refused: " + reason)) << log_.text();
    EXPECT_EQ(log_.count("TLS handshake"), 1) << log_.text();
    EXPECT_EQ(handshakes("client_certificate"), 1);
    EXPECT_EQ(backend_->connections(), 0);
  }
  [[nodiscard]] double handshakes(const std::string& result) const {
    return server_->metric("keystay_tlsd_handshakes_total{listener=\"https\",result=\"" + result + "\"}");
  }

  LogCapture log_;
};

TEST_F(ClientCertificateTest, OfTheAuthorityIsServed) {
  serve(TestBackend::hello());
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, client_leaf());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    EXPECT_THAT(answer_to(&identity, version), HasSubstr("hello"));
  EXPECT_EQ(handshakes("full"), 2);
}

TEST_F(ClientCertificateTest, MissingIsALineAndAMetric) {
  serve(TestBackend::hello());
  EXPECT_EQ(answer_to(nullptr), "");
  expect_refusal("the client shows no certificate");
}

// A client of TLS 1.3 is done before its certificate is looked at, and sends; a reset would take the alert
// from it.
TEST_F(ClientCertificateTest, AnAlertReachesAClientThatGoesOnSending) {
  serve(TestBackend::hello());
  TlsClient client(server_->port(), {.version = TLS1_3_VERSION});
  ASSERT_TRUE(client.handshake());
  ASSERT_TRUE(client.write(std::string(100'000, 'x')));
  expect_refusal("the client shows no certificate");
  std::this_thread::sleep_for(100ms);  // for a reset, which must not come
  EXPECT_TRUE(client.write("x"));
  char byte = 0;
  EXPECT_LE(SSL_read(client.ssl(), &byte, 1), 0);
  EXPECT_THAT(ERR_reason_error_string(ERR_peek_error()), HasSubstr("certificate required"));
  ERR_clear_error();
}

// The field whose value the backend got, which it sends back.
std::string field_of(const std::string& response, const std::string& name) {
  const std::size_t begin = response.find("\r\n" + name + ": ");
  if (begin == std::string::npos) return {};
  const std::size_t value = begin + name.size() + 4;
  return response.substr(value, response.find("\r\n", value) - value);
}

std::string der_in_base64(const std::string& pem) {
  constexpr std::string_view kEnd = "-----\n";
  const std::size_t begin = pem.find(kEnd) + kEnd.size();
  std::string text = pem.substr(begin, pem.find("-----END") - begin);
  std::erase(text, '\n');
  return text;
}

TEST_F(ClientCertificateTest, IsToldToTheBackendWhateverTheClientSaysItIs) {
  serve(TestBackend::echo_head());
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, client_leaf());
  TlsClient client(server_->port(), {.version = TLS1_3_VERSION, .identity = &identity});
  ASSERT_TRUE(client.handshake());
  for (int i = 0; i < 2; ++i) {
    const std::string head = send_request(client,
                                          "GET / HTTP/1.1\r\nHost: a\r\nClient-Cert: :AAAA:\r\n"
                                          "X-Forwarded-Client-Cert: Subject=\"CN=root\"\r\n\r\n")
                                 .body;
    EXPECT_EQ(field_of(head, "Client-Cert"), ':' + der_in_base64(identity.chain_pem) + ':') << head;
    EXPECT_THAT(field_of(head, "X-Forwarded-Client-Cert"),
                testing::MatchesRegex("Hash=[0-9a-f]{64};Subject=\"CN=web-1.example\""));
    EXPECT_THAT(head, testing::Not(HasSubstr("AAAA")));
    EXPECT_THAT(head, testing::Not(HasSubstr("CN=root")));
  }
}

TEST_F(ClientCertificateTest, OptionalOneIsToldAndAWrongOneRefused) {
  listener_.clients->required = false;
  serve(TestBackend::echo_head());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string without = answer_to(nullptr, version);
    EXPECT_THAT(without, HasSubstr("200 OK"));
    EXPECT_THAT(without, testing::Not(HasSubstr("Client-Cert")));
    const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, client_leaf());
    EXPECT_THAT(answer_to(&identity, version), HasSubstr("\r\nClient-Cert: :MII"));
  }
  const TestCa another;
  const SoftwareIdentity foreign = another.issue(KeyKind::ec, client_leaf());
  EXPECT_EQ(answer_to(&foreign), "");
  EXPECT_EQ(handshakes("client_certificate"), 1);
}

struct RefusedCase {
  const char* name;
  std::function<void(LeafOptions&)> change;
  const char* reason;
};

class RefusedClient : public ClientCertificateTest, public testing::WithParamInterface<RefusedCase> {};

TEST_P(RefusedClient, IsALineAndAMetric) {
  serve(TestBackend::hello());
  LeafOptions options = client_leaf();
  GetParam().change(options);
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, options);
  EXPECT_EQ(answer_to(&identity), "");
  expect_refusal(std::string("the client's certificate (CN=web-1.example, web-1.example, "
                             "URI:spiffe://example/web) is refused: ") +
                 GetParam().reason);
}

const RefusedCase kRefused[] = {
    {"expired",
     [](LeafOptions& options) {
       options.valid_until = LeafOptions::expired().valid_until;
       options.valid_from = LeafOptions::expired().valid_from;
     },
     "certificate has expired"},
    {"not_yet_valid", [](LeafOptions& options) { options.valid_from = std::chrono::hours(1); },
     "certificate is not yet valid"},
    {"of_a_server", [](LeafOptions& options) { options.usage = "serverAuth"; }, "un"},
};
INSTANTIATE_TEST_SUITE_P(Certificate, RefusedClient, testing::ValuesIn(kRefused),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(ClientCertificateTest, OfAnotherAuthorityIsALineAndAMetric) {
  serve(TestBackend::hello());
  const SoftwareIdentity identity = TestCa().issue(KeyKind::ec, client_leaf());
  EXPECT_EQ(answer_to(&identity), "");
  expect_refusal(
      "the client's certificate (CN=web-1.example, web-1.example, URI:spiffe://example/web) is "
      "refused: ");
}

TEST_F(ClientCertificateTest, IsListedByAnyOfItsNames) {
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, client_leaf());
  for (const char* name : {"WEB-1.example", "URI:spiffe://example/web", "CN=web-1.example"}) {
    listener_.clients->names = {"other.example", name};
    serve(TestBackend::hello());
    EXPECT_THAT(answer_to(&identity), HasSubstr("hello")) << name;
  }
}

TEST_F(ClientCertificateTest, OfAnotherNameIsALineAndAMetric) {
  listener_.clients->names = {"web-2.example",     "*.example",        "spiffe://example/web",
                              "URI:web-1.example", "CN=WEB-1.example", "web-1.example.org"};
  serve(TestBackend::hello());
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, client_leaf());
  EXPECT_EQ(answer_to(&identity), "");
  expect_refusal(
      "the client's certificate (CN=web-1.example, web-1.example, URI:spiffe://example/web) is refused: none "
      "of its names is among client-names");
}

// A resumed session would pass by the list of names, as it was when the ticket was made.
TEST_F(ClientCertificateTest, IsShownAtEachConnection) {
  serve(TestBackend::hello());
  const SoftwareIdentity identity = test_ca().issue(KeyKind::ec, client_leaf());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(server_->port(), {.version = version, .identity = &identity});
    ASSERT_TRUE(first.handshake()) << first.reason();
    first.write(kGet);
    EXPECT_THAT(first.read_some(), HasSubstr("hello"));
    const SslSession session = first.session();
    TlsClient second(server_->port(), {.version = version, .session = session.get(), .identity = &identity});
    ASSERT_TRUE(second.handshake()) << second.reason();
    second.write(kGet);
    EXPECT_THAT(second.read_some(), HasSubstr("hello"));
    EXPECT_FALSE(second.resumed());
  }
}

TEST_F(ClientCertificateTest, AuthoritiesThatCannotBeReadStopTheStart) {
  listener_.clients->ca = directory_.write("empty.pem", "").string();
  try {
    serve(TestBackend::hello());
    FAIL() << "it serves everybody";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("client-ca: cannot read certificates of authorities from " +
                                        listener_.clients->ca));
  }
}

TEST_F(ClientCertificateTest, AnAddressThatIsNotAllowedIsALineAndAMetric) {
  listener_.clients.reset();
  listener_.allow = {*config::AddressRange::parse("192.0.2.0/24"), *config::AddressRange::parse("::1")};
  serve(TestBackend::hello());
  EXPECT_EQ(answer_to(nullptr), "");
  EXPECT_TRUE(log_.wait_for("refused: the listener does not allow the address (allow)")) << log_.text();
  EXPECT_EQ(handshakes("client_address"), 1);
  EXPECT_EQ(backend_->connections(), 0);
}

TEST_F(ClientCertificateTest, AnAddressThatIsAllowedIsServed) {
  listener_.clients.reset();
  listener_.allow = {*config::AddressRange::parse("127.0.0.0/8")};
  serve(TestBackend::hello());
  EXPECT_THAT(answer_to(nullptr), HasSubstr("hello"));
}

// Sends back what it gets, on a UNIX socket, to one client.
class UnixEcho final {
 public:
  explicit UnixEcho(const std::string& path) : listening_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listening_.get(), 1) != 0)
      throw std::system_error(errno, std::generic_category(), path);
    done_ = std::async(std::launch::async, [this] {
      const Descriptor client(::accept(listening_.get(), nullptr, nullptr));
      std::array<char, 4096> data{};
      for (ssize_t size = 0; (size = ::recv(client.get(), data.data(), data.size(), 0)) > 0;)
        if (::send(client.get(), data.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) return;
    });
  }

 private:
  Descriptor listening_;
  std::future<void> done_;
};

TEST_F(ClientCertificateTest, AServerMayListenOnAUnixSocket) {
  listener_.clients.reset();
  listener_.mode = config::ListenerMode::tcp;
  const std::string path = (directory_.path() / "echo.sock").string();
  const UnixEcho echo(path);
  app_.servers = {*config::ServerAddress::parse("unix:" + path)};
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client(server_->port());
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("to and fro");
  EXPECT_EQ(client.read_some(), "to and fro");
  client.send_close_notify();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
  EXPECT_TRUE(server_->wait_for_metric("keystay_tlsd_relays_total{end=\"complete\",listener=\"https\"}", 1));
}

TEST_F(ClientCertificateTest, ASocketWithoutAServerIsNamed) {
  listener_.clients.reset();
  listener_.mode = config::ListenerMode::tcp;
  const std::string path = (directory_.path() / "absent.sock").string();
  app_.servers = {*config::ServerAddress::parse("unix:" + path)};
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client(server_->port());
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_TRUE(log_.wait_for("connection given up: backend app, unix:" + path +
                            " cannot be reached: No such file or directory"))
      << log_.text();
}

}  // namespace
}  // namespace keystay::test
