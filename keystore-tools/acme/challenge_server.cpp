#include "keystore-tools/acme/challenge_server.h"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "keystore-tools/acme/webroot.h"
#include "keystore-tools/failure.h"
#include "native/config/endpoint.h"
#include "native/config/server_address.h"

namespace keystay::tools::acme {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using Socket = Protocol::socket;
using Acceptor = asio::basic_socket_acceptor<Protocol>;

constexpr std::chrono::seconds kPatience{10};  // for one connection, from its first byte to its last
constexpr std::size_t kLongestRequest = 8 << 10;
constexpr std::chrono::milliseconds kAcceptBackOff{100};
constexpr std::size_t kMostConnections = 64;  // at a time; others are closed

// By their tokens.
class KeyAuthorizations final {
 public:
  void add(const std::string& token, std::string text) {
    const std::lock_guard lock(mutex_);
    texts_.insert_or_assign(token, std::move(text));
  }
  void remove(const std::string& token) {
    const std::lock_guard lock(mutex_);
    texts_.erase(token);
  }
  [[nodiscard]] std::optional<std::string> find(std::string_view target) {
    constexpr std::string_view kPath = kChallengePath;
    if (!target.starts_with(kPath)) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto found = texts_.find(target.substr(kPath.size()));
    return found == texts_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> texts_;
};

// One request and its response. Owned by what it waits for.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket socket, KeyAuthorizations& texts, std::shared_ptr<void> place)
      : stream_(std::move(socket)), texts_(texts), place_(std::move(place)) {
    parser_.body_limit(0);
    parser_.header_limit(kLongestRequest);
  }

  void serve() {
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](const error_code& error, std::size_t /*size*/) {
                       if (!error) self->respond();
                     });
  }

 private:
  void respond() {
    const auto& request = parser_.get();
    const bool is_get = request.method() == http::verb::get || request.method() == http::verb::head;
    const auto text = is_get ? texts_.find({request.target().data(), request.target().size()}) : std::nullopt;
    response_.version(request.version());
    response_.result(text ? http::status::ok : http::status::not_found);
    response_.set(http::field::content_type, "application/octet-stream");
    response_.set(http::field::cache_control, "no-store");
    response_.body() = text.value_or("");
    response_.keep_alive(false);
    response_.prepare_payload();
    if (request.method() == http::verb::head) response_.body().clear();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](const error_code& /*error*/, std::size_t /*size*/) {
                        error_code ignored;
                        self->stream_.socket().shutdown(Socket::shutdown_send, ignored);
                      });
  }

  beast::basic_stream<Protocol> stream_;
  KeyAuthorizations& texts_;
  std::shared_ptr<void> place_;  // among the connections
  beast::flat_static_buffer<kLongestRequest> buffer_;
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
};

bool is_port(const std::string& address) {
  return !address.empty() && address.find_first_not_of("0123456789") == std::string::npos;
}

// All addresses of the machine for a port alone.
config::ServerAddress parse(const std::string& address, const char* all = "[::]:") {
  auto parsed = config::ServerAddress::parse(is_port(address) ? all + address : address);
  if (!parsed || parsed->name())
    throw UsageError("-http-port " + address +
                     ": expected a port, ADDRESS:PORT or unix:PATH, such as 80 or 127.0.0.1:8402");
  return *std::move(parsed);
}

Protocol::endpoint endpoint_of(const config::ServerAddress& address) {
  if (const std::string* path = address.socket()) return asio::local::stream_protocol::endpoint(*path);
  const config::Endpoint& endpoint = *address.endpoint();
  return asio::ip::tcp::endpoint(asio::ip::make_address(endpoint.address), endpoint.port);
}

// What a run that was killed has left.
void remove_stale_socket(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
}

}  // namespace

class ChallengeServer::Listener final {
 public:
  explicit Listener(const std::string& address) : address_(parse(address)), acceptor_(context_) {
    try {
      if (const std::string* path = address_.socket()) remove_stale_socket(*path);
      error_code error = listen(endpoint_of(address_));
      if (error == boost::system::errc::address_family_not_supported && is_port(address))
        error = listen(endpoint_of(parse(address, "0.0.0.0:")));  // a machine without IPv6
      if (error) throw boost::system::system_error(error);
    } catch (const boost::system::system_error& error) {
      throw Failure(
          "cannot listen on " + address_.text() + " for the CA's challenges: " + error.code().message() +
          "; let whoever has the port pass them on: -http-port with another one, and acme-backend of "
          "keystay-tlsd, or -webroot");
    }
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    context_.stop();
    thread_.join();
    if (const std::string* path = address_.socket()) ::unlink(path->c_str());
  }

  [[nodiscard]] KeyAuthorizations& texts() noexcept { return texts_; }

 private:
  error_code listen(const Protocol::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (error) return error;
    acceptor_.set_option(Acceptor::reuse_address(true));
    if (endpoint.protocol().family() == AF_INET6) acceptor_.set_option(asio::ip::v6_only(false));
    acceptor_.bind(endpoint);
    // Whoever passes challenges on is another user; a response is no secret.
    if (const std::string* path = address_.socket()) ::chmod(path->c_str(), 0666);
    acceptor_.listen();
    return {};
  }

  void accept() {
    acceptor_.async_accept([this](const error_code& error, Socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) std::this_thread::sleep_for(kAcceptBackOff);  // out of descriptors
      if (!error && connections_.use_count() <= static_cast<long>(kMostConnections))
        std::make_shared<Connection>(std::move(socket), texts_, connections_)->serve();
      accept();
    });
  }

  config::ServerAddress address_;
  KeyAuthorizations texts_;
  std::shared_ptr<void> connections_ =
      std::make_shared<int>(0);  // each connection shares it: they are counted
  asio::io_context context_{1};
  Acceptor acceptor_;
  std::thread thread_;
};

ChallengeServer::ChallengeServer(const std::string& address)
    : listener_(std::make_unique<Listener>(address)) {}

ChallengeServer::~ChallengeServer() = default;

void ChallengeServer::publish(const ChallengeResponse& response) {
  listener_->texts().add(response.token, response.key_authorization);
}

void ChallengeServer::withdraw(const ChallengeResponse& response) {
  listener_->texts().remove(response.token);
}

void require_challenge_address(const std::string& address) { static_cast<void>(parse(address)); }

}  // namespace keystay::tools::acme
