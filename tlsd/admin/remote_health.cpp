#include "tlsd/admin/remote_health.h"

#include <boost/asio/co_spawn.hpp>

namespace keystay::tlsd {

awaitable<bool> RemoteHealth::is_healthy() const {
  co_return co_await asio::co_spawn(control_, check_, asio::use_awaitable_t<Executor>{});
}

}  // namespace keystay::tlsd
