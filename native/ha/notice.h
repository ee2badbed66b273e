// Where sentences about members go that an operator wants to read once.
#pragma once

#include <functional>
#include <string>

namespace keystay::ha {

// `group "front": member "hsm-b" is out of service: …`. Called on any thread, without locks; throws nothing.
using Notice = std::function<void(const std::string& sentence)>;

// syslog(3), as LOG_DAEMON and LOG_WARNING, under the name that the program has given itself there.
void write_to_system_log(const std::string& sentence);

}  // namespace keystay::ha
