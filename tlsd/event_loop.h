// Runs a thread's io_context. What a peer sends may make a handler throw: Beast's parsers do, and so does any
// allocation. Asio lets such an exception leave io_context::run(), and with it the thread and the process; it
// also destroys the handler, and with it the coroutine that waited, and the connection which that one owned.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <prometheus/counter.h>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// Until the context has no work left or is stopped. An exception of a handler, of whatever type, is counted
// in `exceptions` and logged, at most one line a second, and the loop goes on. `thread` names it in the log.
void run_event_loop(asio::io_context& context, std::string_view thread, prometheus::Counter& exceptions);

// What it says, for a log; `failure` is not null.
[[nodiscard]] std::string description(const std::exception_ptr& failure);

}  // namespace keystay::tlsd
