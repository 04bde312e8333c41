#include "core/compiler.hpp"

#include <algorithm>
#include <iterator>

#if defined(POSTGRES_H)
static_assert(false, "No Postgres header should be included in this file.");
#endif

namespace lead_scoring::core
{

void
collect_columns(const PredicateTree &tree, std::set<uint16_t> &columns)
{
	if (tree.test <= Test::is_true)
	{
		columns.insert(tree.column);
	}
	for (const PredicateTree *operand : tree.operands)
	{
		collect_columns(*operand, columns);
	}
}

Program::Compiler::Compiler(Program &program, const Definition &definition) : program_(program), definition_(definition)
{
	criteria_.resize(definition.sources.size());
	columns_.resize(definition.sources.size());
	factor_columns_.resize(definition.sources.size());
	group_sums_.assign(definition.groups.size(), no_slot);
}

void
Program::Compiler::run()
{
	add_sources();
	add_groups();
	add_factors();
	add_record_slots();
	for (const RuleDefinition &rule : definition_.rules)
	{
		add_rule(rule);
	}
	for (const ScopeDefinition &scope : definition_.scopes)
	{
		add_scope(scope);
	}
	add_bands();
	add_prediction();
	if (definition_.open_when != nullptr)
	{
		program_.open_when = add_record_criterion(*definition_.open_when);
	}
	for (size_t source = 0; source < program_.sources.size(); source++)
	{
		finish_source(source);
	}
}

void
Program::Compiler::add_sources()
{
	for (const SourceDefinition &source : definition_.sources)
	{
		SourceProgram &added = program_.sources.emplace_back();
		added.has_time = source.has_time;
		added.cleaned = source.cleaned;
		added.dedup_us = source.dedup_us;
		added.books.resize(source.columns.size());
	}
	program_.record_books.resize(definition_.record_columns.size());
}

void
Program::Compiler::add_groups()
{
	for (const GroupDefinition &group : definition_.groups)
	{
		FinishGroup added{std::string(group.name), group.part, group.limits, group.weight, {}};
		for (const FadeDefinition &fade : group.fades)
		{
			uint32_t segment = fade.segment == nullptr ? no_slot : add_record_criterion(*fade.segment);
			uint32_t curve = fade.decay == nullptr ? no_slot : add_curve(*fade.decay);
			added.fades.push_back({segment, curve, curve == no_slot ? -1 : fade.quiet_us});
		}
		if (added.fades.empty())
		{
			added.fades.push_back({no_slot, no_slot, -1});
		}
		program_.groups.push_back(std::move(added));
	}
}

uint32_t
Program::Compiler::add_curve(const Decay &decay)
{
	for (uint32_t curve = 0; curve < known_decays_.size(); curve++)
	{
		if (known_decays_[curve] == decay)
		{
			return curve;
		}
	}
	known_decays_.push_back(decay);
	program_.curves.emplace_back(decay);
	return static_cast<uint32_t>(known_decays_.size() - 1);
}

void
Program::Compiler::add_factors()
{
	for (const FactorDefinition &factor : definition_.factors)
	{
		if (in_force(factor.valid))
		{
			size_t at = static_cast<size_t>(factor.source);
			SourceProgram &source = program_.sources[at];
			source.factors.push_back({factor.events, factor.factor,
									  Predicate(*factor.criterion, definition_.sources[at].columns, source.books)});
			collect_columns(*factor.criterion, factor_columns_[at]);
		}
	}
}

// Whether what is valid in a period is in force; the program holds for as long as the answer
bool
Program::Compiler::in_force(const Period &valid) noexcept
{
	Period &holds = program_.valid;

	if (program_.as_of < valid.from)
	{
		holds.until = std::min(holds.until, valid.from);
		return false;
	}
	if (program_.as_of >= valid.until)
	{
		holds.from = std::max(holds.from, valid.until);
		return false;
	}
	holds = {std::max(holds.from, valid.from), std::min(holds.until, valid.until)};
	return true;
}

// Slots that belong to the record rather than to a rule
void
Program::Compiler::add_record_slots()
{
	bool needs_activity = program_.needs.activity;

	for (const FinishGroup &group : program_.groups)
	{
		needs_activity |= std::any_of(group.fades.begin(), group.fades.end(),
									  [](const Fade &fade) { return fade.quiet_us >= 0; });
	}
	if (needs_activity)
	{
		program_.activity_slot = program_.layout.peaks++;
	}
	if (program_.own_instants)
	{
		program_.instant_slot = program_.layout.peaks++;
	}
	if (definition_.has_resets)
	{
		program_.reset_slot = program_.layout.peaks++;
	}
	if (program_.needs.due)
	{
		add_due_slots();
	}
	if (definition_.has_adjustments)
	{
		program_.adjustment_slot = new_sum(no_slot, 0);
	}
}

// Slots for the instants at which a record's score may change
void
Program::Compiler::add_due_slots()
{
	program_.due_slot = program_.layout.peaks++;
	for (const ScopeDefinition &scope : definition_.scopes)
	{
		bool events = scope.source != record_itself && definition_.sources[static_cast<size_t>(scope.source)].has_time;
		if (events && program_.scope_due_slot == no_slot)
		{
			program_.scope_due_slot = program_.layout.peaks++;
		}
	}
	for (FinishGroup &group : program_.groups)
	{
		for (size_t fade = 0; fade < group.fades.size(); fade++)
		{
			if (group.fades_by_event(fade))
			{
				// Which of several ways a record's points fade is known when it is finished
				group.fades[fade].due_slot = group.fades.size() == 1 ? program_.due_slot : program_.layout.peaks++;
			}
			program_.quiet_fades |= group.fades[fade].quiet_us >= 0;
		}
	}
}

uint32_t
Program::Compiler::new_sum(uint32_t group, uint32_t fade)
{
	program_.sum_uses.push_back({group, fade});
	return program_.layout.sums++;
}

uint32_t
Program::Compiler::new_group_sums(uint32_t group)
{
	uint32_t first = program_.layout.sums;

	for (uint32_t fade = 0; fade < program_.groups[group].fades.size(); fade++)
	{
		new_sum(group, fade);
	}
	return first;
}

// Rules that pay for each row share the sums of their group, unless each rule must be told apart
uint32_t
Program::Compiler::sums_of(uint32_t group)
{
	if (program_.needs.detail)
	{
		return new_group_sums(group);
	}
	if (group_sums_[group] == no_slot)
	{
		group_sums_[group] = new_group_sums(group);
	}
	return group_sums_[group];
}

uint32_t
Program::Compiler::add_record_criterion(const PredicateTree &tree)
{
	program_.record_criteria.emplace_back(tree, definition_.record_columns, program_.record_books);
	return static_cast<uint32_t>(program_.record_criteria.size() - 1);
}

void
Program::Compiler::add_scope(const ScopeDefinition &scope)
{
	FinishScope added{scope.include, no_slot, no_slot};

	if (scope.source == record_itself)
	{
		added.criterion = add_record_criterion(*scope.criterion);
	}
	else
	{
		RowRule row;
		added.count_slot = program_.layout.counts++;
		row.slots.count = added.count_slot;
		row.due_slot = program_.scope_due_slot;
		add_criterion(scope.source, *scope.criterion, std::move(row));
	}
	program_.any_include |= scope.include;
	program_.scopes.push_back(added);
}

void
Program::Compiler::add_bands()
{
	std::vector<uint32_t> segments;

	for (const BandDefinition &band : definition_.bands)
	{
		segments.push_back(band.segment == nullptr ? always_segment : add_record_criterion(*band.segment));
	}
	program_.bands = BandTable(definition_.bands, segments, definition_.key_kind, definition_.prediction.model != nullptr);
}

void
Program::Compiler::add_prediction()
{
	const PredictionDefinition &prediction = definition_.prediction;

	program_.prediction = {prediction.model, prediction.instant_outcome, prediction.outcome_column, prediction.closed_column,
						   prediction.customer_when == nullptr ? no_slot : add_record_criterion(*prediction.customer_when)};
}

void
Program::Compiler::finish_source(size_t at)
{
	SourceProgram &source = program_.sources[at];
	std::vector<std::vector<Predicate>> criteria;

	source.dispatch.emplace_back(criteria_[at], definition_.sources[at].columns, source.books, criteria);
	for (size_t rule = 0; rule < source.rules.size(); rule++)
	{
		source.rules[rule].criteria = std::move(criteria[rule]);
	}
	source.all_times = source.cleaned || program_.activity_slot != no_slot || !source.has_time || program_.own_instants;
	for (uint32_t code = 0; code < source.dispatch[0].codes(); code++)
	{
		source.needs.push_back({{}, columns_of(at, source.dispatch[0].entries_of(code))});
	}
}

// The columns that must be read of rows that may concern these rules
std::vector<uint16_t>
Program::Compiler::columns_of(size_t at, std::span<const uint32_t> rules) const
{
	const SourceProgram &source = program_.sources[at];
	std::set<uint16_t> columns = factor_columns_[at];
	std::vector<uint16_t> read;

	for (uint32_t rule : rules)
	{
		columns.insert(columns_[at][rule].begin(), columns_[at][rule].end());
	}
	if (source.cleaned)
	{
		// Which of two duplicates of one instant stays depends on all that is read
		for (size_t column = 0; column < definition_.sources[at].columns.size(); column++)
		{
			columns.insert(static_cast<uint16_t>(column));
		}
	}
	std::copy_if(columns.begin(), columns.end(), std::back_inserter(read),
				 [&source](uint16_t column) { return column != source.dispatch[0].column(); });
	return read;
}

} // namespace lead_scoring::core
