#include "tlsd/http2/http2_access.h"

namespace keystay::tlsd {
namespace {

std::string_view field(const RequestHeader* request, http::field name) {
  return request != nullptr ? std::string_view((*request)[name]) : std::string_view();
}

}  // namespace

std::string Http2Access::line(const Http2Stream& stream) const {
  return client_.access_log.active() ? stream.request_line() : std::string();
}

void Http2Access::write(const Http2Stream& stream, std::string_view line, const RequestHeader* request,
                        const RequestOutcome& outcome) const {
  if (!client_.access_log.active()) return;
  const auto duration = Clock::now() - stream.began();
  AccessRecord record{.begin = std::chrono::system_clock::now() -
                               std::chrono::duration_cast<std::chrono::system_clock::duration>(duration),
                      .client = client_.endpoint,
                      .tls = client_.stream.agreed()};
  record.duration = duration;
  if (outcome.first_byte) record.first_byte = *outcome.first_byte - stream.began();
  record.request_line = line;
  record.host = field(request, http::field::host);
  record.referer = field(request, http::field::referer);
  record.user_agent = field(request, http::field::user_agent);
  record.status = outcome.status != 0 ? outcome.status : kClientClosedRequest;
  record.bytes_in = stream.request_bytes();
  record.bytes_out = outcome.body_bytes;
  record.body_bytes = outcome.body_bytes;
  if (outcome.server) {
    record.backend = outcome.backend;
    record.server = outcome.server->server;
  }
  record.end = outcome.end;
  record.identity = client_.stream.client();
  client_.access_log.write(record);
}

}  // namespace keystay::tlsd
