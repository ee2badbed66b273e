// The two forms of a line of the access log, without its end. docs/user/tlsd.md describes them.
#pragma once

#include <string>
#include <string_view>

#include "tlsd/access_log/access_record.h"

namespace keystay::tlsd {

// The combined format of Apache's httpd and of nginx. What clients send is escaped as nginx does it: quotes,
// backslashes, control characters and all above 126 as \xHH.
void append_combined(std::string& out, std::string_view listener, const AccessRecord& record);

// One object, whose members that do not apply are left out.
void append_json(std::string& out, std::string_view listener, const AccessRecord& record);

}  // namespace keystay::tlsd
