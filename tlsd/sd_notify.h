// What systemd and the service tell each other in the environment and by messages (sd_notify(3),
// Type=notify-reload). Messages go nowhere where NOTIFY_SOCKET is not set.
#pragma once

#include <cstdint>
#include <optional>

namespace keystay::tlsd {

void notify_ready() noexcept;
void notify_reloading() noexcept;
void notify_stopping() noexcept;
void notify_alive() noexcept;  // for its watchdog

// A variable of systemd's. None if it is not set, or not a decimal number.
[[nodiscard]] std::optional<std::uint64_t> service_number(const char* variable);

}  // namespace keystay::tlsd
