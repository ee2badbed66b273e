// Gathers, for the access log, what is known of one request after another of a connection of HTTP/1.1. Where
// the listener has no access log all of it does nothing.
#pragma once

#include <memory>
#include <string>

#include "tlsd/http/http.h"
#include "tlsd/http/request_outcome.h"
#include "tlsd/protocol_handler.h"

namespace keystay::tlsd {

class RequestAccess final {
 public:
  explicit RequestAccess(const TlsClient& client) : client_(client) {}

  // The request's first byte is there. `buffered`, here and below: bytes that were read and not consumed.
  void begin(std::size_t buffered);
  // `head` begins with the request line, as the client sent it.
  void note_line(std::string_view head);
  // Writes the line. `request` is null if the head was refused.
  void end(const RequestHeader* request, const RequestOutcome& outcome, std::size_t buffered);

 private:
  struct Gathered {
    std::chrono::system_clock::time_point wall_begin{};
    Clock::time_point begin{};
    std::uint64_t read = 0;  // by the stream, before this request
    std::uint64_t written = 0;
    std::string line;
    bool begun = false;
  };

  const TlsClient client_;
  std::unique_ptr<Gathered> gathered_;  // none before the first request that is logged
};

}  // namespace keystay::tlsd
