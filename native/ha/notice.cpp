#include "native/ha/notice.h"

#include <syslog.h>

namespace keystay::ha {

void write_to_system_log(const std::string& sentence) {
  ::syslog(LOG_DAEMON | LOG_WARNING, "keystay: %s", sentence.c_str());
}

}  // namespace keystay::ha
