#include "native/ha/health.h"

namespace keystay::ha {

const std::array<const char*, kErrorClasses>& error_class_names() noexcept {
  static constexpr std::array<const char*, kErrorClasses> kNames{
      "client", "server", "busy", "session_lost", "dirty_session", "authentication", "host"};
  return kNames;
}

const char* to_string(Service service) noexcept {
  switch (service) {
    case Service::in:
      return "in service";
    case Service::joining:
      return "joining";
    case Service::repairing:
      return "repairing its sessions";
    case Service::out:
      return "out of service";
    case Service::refused:
      return "refused the login";
  }
  return "unknown";
}

}  // namespace keystay::ha
