// Reads JSON that nobody vouches for: each function either returns what was asked for or raises Fault::invalid_text.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lead_scoring::core
{

// Say that a text is no model, and why
[[noreturn]] void refuse_model(const std::string &why);

// Return the member of an object
const nlohmann::json &json_member(const nlohmann::json &object, const char *name);

// Return a member that is an array of at most so many elements
const nlohmann::json &json_array(const nlohmann::json &object, const char *name, size_t most);

// Return a number that is finite
double json_number(const nlohmann::json &value);
double json_number(const nlohmann::json &object, const char *name);

// Return a number of which sums cannot overflow: -1e12 .. 1e12
double json_amount(const nlohmann::json &value);

// Return a whole number in 0 .. most
uint64_t json_count(const nlohmann::json &value, uint64_t most);
uint64_t json_count(const nlohmann::json &object, const char *name, uint64_t most);

bool json_boolean(const nlohmann::json &object, const char *name);
std::string json_text(const nlohmann::json &value);

// Return a member that is an array of at most so many finite numbers, or of whole numbers in 0 .. highest
std::vector<double> json_numbers(const nlohmann::json &object, const char *name, size_t most);
std::vector<uint32_t> json_counts(const nlohmann::json &object, const char *name, size_t most, uint32_t highest);

} // namespace lead_scoring::core
