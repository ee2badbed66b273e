#include "tlsd/http/request_access.h"

#include <utility>

namespace keystay::tlsd {
namespace {

std::string_view field(const RequestHeader* request, http::field name) {
  return request != nullptr ? std::string_view((*request)[name]) : std::string_view();
}

unsigned status_of(const RequestOutcome& outcome) {
  return outcome.status != 0 ? outcome.status : kClientClosedRequest;
}

}  // namespace

void RequestAccess::begin(std::size_t buffered) {
  if (!client_.access_log.active()) return;
  if (!gathered_) gathered_ = std::make_unique<Gathered>();
  gathered_->wall_begin = std::chrono::system_clock::now();
  gathered_->begin = Clock::now();
  gathered_->read = client_.stream.bytes_read() - buffered;
  gathered_->written = client_.stream.bytes_written();
  gathered_->line.clear();
  gathered_->begun = true;
}

void RequestAccess::note_line(std::string_view head) {
  if (gathered_ && gathered_->begun) gathered_->line.assign(head.substr(0, head.find_first_of("\r\n")));
}

void RequestAccess::end(const RequestHeader* request, const RequestOutcome& outcome, std::size_t buffered) {
  if (!gathered_ || !std::exchange(gathered_->begun, false)) return;
  AccessRecord record{
      .begin = gathered_->wall_begin, .client = client_.endpoint, .tls = client_.stream.agreed()};
  record.duration = Clock::now() - gathered_->begin;
  if (outcome.first_byte) record.first_byte = *outcome.first_byte - gathered_->begin;
  record.request_line = gathered_->line;
  record.host = field(request, http::field::host);
  record.referer = field(request, http::field::referer);
  record.user_agent = field(request, http::field::user_agent);
  record.status = status_of(outcome);
  record.bytes_in = client_.stream.bytes_read() - buffered - gathered_->read;
  record.bytes_out = client_.stream.bytes_written() - gathered_->written;
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
