// The SQL type decay, for those who hold one as a datum.
#pragma once

#include "pg/postgres_api.hpp"

#include "core/decay.hpp"

namespace lead_scoring::pg
{

// View a datum of type decay; the layout is checked where values enter
const core::Decay *decay_from_datum(Datum datum) noexcept;

} // namespace lead_scoring::pg
