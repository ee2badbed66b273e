// Reads the settings of session tickets.
#pragma once

#include "native/config/table_reader.h"
#include "native/config/ticket_settings.h"

namespace keystay::config {

// `tickets` of [tlsd]: "off", or a table. Throws Error.
[[nodiscard]] TicketSettings read_tickets(const TableReader& tlsd);

}  // namespace keystay::config
