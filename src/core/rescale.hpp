// Linear maps of scores from one range to another.
#pragma once

namespace lead_scoring::core
{

struct Range
{
	double lower;
	double upper;
};

// Map a score so that the ends of one range become the ends of the other; what lies outside counts as the nearer end
double rescale(double score, Range from, Range to);

} // namespace lead_scoring::core
