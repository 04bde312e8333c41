#include "pg/postgres_api.hpp"

#include "pg/site_context.hpp"

namespace lead_scoring::pg
{

namespace
{

void
describe_site(void *argument)
{
	auto *site = static_cast<const SiteContext *>(argument);

	errcontext("%s of %s", site->field, site->what);
}

} // namespace

void
begin_site(SiteContext *site)
{
	site->callback = {error_context_stack, describe_site, site};
	error_context_stack = &site->callback;
}

void
end_site(const SiteContext *site)
{
	error_context_stack = site->callback.previous;
}

} // namespace lead_scoring::pg
