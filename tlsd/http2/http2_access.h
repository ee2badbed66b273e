// Lines of the access log for the requests of a connection of HTTP/2. Where the listener has no access log
// all of it does nothing.
#pragma once

#include <chrono>
#include <string>

#include "tlsd/http/http.h"
#include "tlsd/http/request_outcome.h"
#include "tlsd/http2/http2_stream.h"
#include "tlsd/protocol_handler.h"

namespace keystay::tlsd {

class Http2Access final {
 public:
  explicit Http2Access(const TlsClient& client) : client_(client) {}

  // The request line that a client of HTTP/1.1 would have sent. Before its stream parses the head.
  [[nodiscard]] std::string line(const Http2Stream& stream) const;
  // `request` is null if the head was refused. Bytes are those of the stream: of its fields before
  // compression, and of bodies.
  void write(const Http2Stream& stream, std::string_view line, const RequestHeader* request,
             const RequestOutcome& outcome) const;

 private:
  const TlsClient client_;
};

}  // namespace keystay::tlsd
