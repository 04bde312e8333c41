#include "core/xgboost_library.hpp"

#include "core/fault.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

#include <string>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

namespace
{

// Debian's names, the newest first, then that of a build from source
constexpr const char *library_names[] = {"libxgboost.so.3", "libxgboost.so.0", "libxgboost.so", nullptr};

constexpr const char *library_hint =
	"Install XGBoost 1.7 or later where PostgreSQL's server runs (Debian: libxgboost-dev, which brings the library, too), or train with algorithm = 'scorecard'.";

[[noreturn]] void
raise_missing(const std::string &why)
{
	throw ScoringError(Fault::missing_library, fmt::format("boosted trees cannot be trained without XGBoost: {}", why), library_hint);
}

// Look a function up, as what the header says that it is
template <typename Function>
void
find_function(void *library, const char *name, Function &function)
{
	void *found = dlsym(library, name);

	if (found == nullptr)
	{
		raise_missing(fmt::format("the library that is installed has no function {}", name));
	}
	function = reinterpret_cast<Function>(found);
}

} // namespace

XgboostLibrary
open_xgboost(const char *const *names)
{
	XgboostLibrary found{};
	void *library = nullptr;
	std::string why;

	for (; library == nullptr && *names != nullptr; names++)
	{
		// It stays: threads of OpenMP and callbacks may live in it
		library = dlopen(*names, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		if (library == nullptr && why.empty())
		{
			why = dlerror();
		}
	}
	if (library == nullptr)
	{
		raise_missing(why);
	}
	find_function(library, "XGBGetLastError", found.last_error);
	find_function(library, "XGBRegisterLogCallback", found.register_log_callback);
	find_function(library, "XGBSetGlobalConfig", found.set_global_config);
	find_function(library, "XGDMatrixCreateFromDense", found.create_matrix);
	find_function(library, "XGDMatrixSetFloatInfo", found.set_float_info);
	find_function(library, "XGDMatrixFree", found.free_matrix);
	find_function(library, "XGBoosterCreate", found.create_booster);
	find_function(library, "XGBoosterFree", found.free_booster);
	find_function(library, "XGBoosterSetParam", found.set_parameter);
	find_function(library, "XGBoosterUpdateOneIter", found.update);
	find_function(library, "XGBoosterSaveModelToBuffer", found.save_model);
	find_function(library, "XGBoosterPredictFromDMatrix", found.predict);
	return found;
}

bool
has_xgboost() noexcept
{
	for (const char *const *name = library_names; *name != nullptr; name++)
	{
		// It stays, as above
		if (dlopen(*name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) != nullptr)
		{
			return true;
		}
	}
	return false;
}

const XgboostLibrary &
xgboost_library()
{
	static const XgboostLibrary library = open_xgboost(library_names);

	return library;
}

} // namespace lead_scoring::core
