// What an error of PostgreSQL's is about where there is no row yet: constants are computed before.
#pragma once

#include "pg/postgres_api.hpp"

namespace lead_scoring::pg
{

// An expression of a definition that is at work
struct SiteContext
{
	const char *what;  // 'rule "student" of score "lead_score"'
	const char *field; // "criterion"
	ErrorContextCallback callback;
};

// Tell errors where they come from, until the end. It must stay where it is so long
void begin_site(SiteContext *site);
void end_site(const SiteContext *site);

} // namespace lead_scoring::pg
