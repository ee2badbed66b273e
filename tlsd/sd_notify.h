// Tells systemd how the service is (sd_notify(3), Type=notify-reload). Does nothing where NOTIFY_SOCKET is
// not set.
#pragma once

namespace keystay::tlsd {

void notify_ready() noexcept;
void notify_reloading() noexcept;
void notify_stopping() noexcept;

}  // namespace keystay::tlsd
