#include "tlsd/http/health_answer.h"

#include <boost/asio/this_coro.hpp>

#include "tlsd/http/answer.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

bool asks_for_health(const ListenerSnapshot& listener, const RequestParser& request) {
  const std::string& path = listener.settings.health_path;
  const http::verb method = request.get().method();
  return !path.empty() && request.is_done() && request.get().target() == path &&
         (method == http::verb::get || method == http::verb::head);
}

awaitable<RequestOutcome> answer_health(HttpClient& client, bool keep_alive, const RemoteHealth& health,
                                        ListenerMetrics& metrics) {
  const bool healthy = co_await health.is_healthy();
  if (client.gone()) co_return RequestOutcome{.end = RelayOutcome::client};
  Answer answer(healthy ? http::status::no_content : http::status::internal_server_error, 11);
  answer.set(http::field::cache_control, "no-store");
  if (!healthy) answer.content_length(0);
  answer.keep_alive(keep_alive);
  RequestOutcome outcome{answer.result_int(), 0, Clock::now()};
  metrics.own_answer(outcome.status);
  const TimeLimit limit(co_await asio::this_coro::executor, kAnswerLimit, [&client] { client.interrupt(); });
  const error_code error = co_await client.send(answer);
  if (error) outcome.end = RelayOutcome::client;
  co_return outcome;
}

}  // namespace keystay::tlsd
