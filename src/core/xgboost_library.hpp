// XGBoost's C API, found when it is first needed: the module loads and predicts where the library is not installed, and a
// session that does not train does not pay for it. Its types are those of the header at build time, and the functions used
// have had them from 1.7 to 3.x.
#pragma once

#include <xgboost/c_api.h>

namespace lead_scoring::core
{

struct XgboostLibrary
{
	decltype(&::XGBGetLastError) last_error;
	decltype(&::XGBRegisterLogCallback) register_log_callback;
	decltype(&::XGBSetGlobalConfig) set_global_config;
	decltype(&::XGDMatrixCreateFromDense) create_matrix;
	decltype(&::XGDMatrixSetFloatInfo) set_float_info;
	decltype(&::XGDMatrixFree) free_matrix;
	decltype(&::XGBoosterCreate) create_booster;
	decltype(&::XGBoosterFree) free_booster;
	decltype(&::XGBoosterSetParam) set_parameter;
	decltype(&::XGBoosterUpdateOneIter) update;
	decltype(&::XGBoosterSaveModelToBuffer) save_model;
	decltype(&::XGBoosterPredictFromDMatrix) predict;
};

// Return the library; raises Fault::missing_library if it, or a function of it, is not there
const XgboostLibrary &xgboost_library();

// Whether the library is there, whatever it is
bool has_xgboost() noexcept;

// Open the first of some shared libraries that is there, null-terminated; raises like xgboost_library
XgboostLibrary open_xgboost(const char *const *names);

} // namespace lead_scoring::core
