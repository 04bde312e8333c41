// lead_scoring.keyword_hits: how often any of some keywords stands in a text as a whole word.
//
// What a letter is, and which two differ only in case, PostgreSQL says under the collation of the call (letter_table.hpp);
// what keywords are, and where they are, core/keywords.hpp. A text goes to the search in stretches of bounded size,
// whatever its length.
#include "pg/letter_table.hpp"

#include "pg/owned.hpp"

namespace lead_scoring::pg
{

using core::KeywordTree;
using core::Letter;
using core::Symbol;

namespace
{

// The symbols that are searched at once; a keyword is much shorter
constexpr size_t stretch_symbols = 8192;

// The bytes that are read at once, as runs of white space fill no stretch
constexpr ptrdiff_t bytes_at_once = 1 << 20;

static_assert(stretch_symbols > 2 * KeywordTree::most_letters);

// What a call site remembers
struct KeywordSite
{
	LetterTable *letters;
	ArrayType *keywords; // as they were given; NULL until they are learned
	MemoryContext context; // of the keywords and their tree
	KeywordTree *tree;
	Symbol stretch[stretch_symbols];
};

Reader
reader_of(const text *value)
{
	return {VARDATA_ANY(value), VARDATA_ANY(value) + VARSIZE_ANY_EXHDR(value)};
}

// Add a keyword to the tree
void
learn_keyword(KeywordSite *site, Reader reader)
{
	Letter letters[KeywordTree::most_letters + 1];
	size_t count = 0;

	// One letter too many is enough for the tree to refuse it
	while (reader.next < reader.end && count <= KeywordTree::most_letters)
	{
		letters[count++] = take_letter(site->letters, reader)->letter;
	}
	guarded([site, &letters, count]() { site->tree->add({letters, count}); });
}

// Learn the keywords of a call
void
learn_keywords(KeywordSite *site, MemoryContext parent, ArrayType *keywords)
{
	if (site->context != nullptr)
	{
		MemoryContext old = site->context;
		site->keywords = nullptr;
		site->context = nullptr;
		MemoryContextDelete(old);
	}
	site->context = AllocSetContextCreate(parent, "lead_scoring keywords", ALLOCSET_SMALL_SIZES);
	site->tree = make_owned<KeywordTree>(site->context);
	ArrayIterator iterator = array_create_iterator(keywords, 0, nullptr);
	Datum keyword;
	bool is_null;
	while (array_iterate(iterator, &keyword, &is_null))
	{
		if (!is_null)
		{
			learn_keyword(site, reader_of(DatumGetTextPP(keyword)));
		}
		CHECK_FOR_INTERRUPTS();
	}
	array_free_iterator(iterator);
	forget_symbols(site->letters);
	auto *copy = static_cast<ArrayType *>(MemoryContextAllocHuge(site->context, VARSIZE(keywords)));
	memcpy(copy, keywords, VARSIZE(keywords));
	site->keywords = copy;
}

// Take the next characters of a text as symbols, any run of white space as one, until the stretch is full or it is time
// to look whether somebody cancels
size_t
take_symbols(KeywordSite *site, Reader &reader, size_t filled, bool *after_space)
{
	const char *pause = reader.end - reader.next > bytes_at_once ? reader.next + bytes_at_once : reader.end;

	while (filled < stretch_symbols && reader.next < pause)
	{
		LetterSlot *slot = take_letter(site->letters, reader);
		if (slot->symbol == no_symbol)
		{
			slot->symbol = site->tree->symbol_of(slot->letter);
		}
		bool is_space = slot->symbol == core::white_space;
		if (!is_space || !*after_space)
		{
			site->stretch[filled++] = slot->symbol;
		}
		*after_space = is_space;
	}
	return filled;
}

// Count the hits in a text
int64
count_hits(KeywordSite *site, Reader reader)
{
	KeywordTree::Progress progress;
	size_t filled = 0;
	bool after_space = false;

	for (;;)
	{
		filled = take_symbols(site, reader, filled, &after_space);
		bool ends = reader.next == reader.end;
		size_t searched = site->tree->scan({site->stretch, filled}, ends, progress);
		if (ends)
		{
			return progress.hits;
		}
		filled -= searched;
		memmove(site->stretch, site->stretch + searched, filled * sizeof(Symbol));
		CHECK_FOR_INTERRUPTS();
	}
}

KeywordSite *
site_of(FmgrInfo *call_site, Oid collation)
{
	if (call_site->fn_extra == nullptr)
	{
		auto *site = static_cast<KeywordSite *>(MemoryContextAllocZero(call_site->fn_mcxt, sizeof(KeywordSite)));
		site->letters = make_letter_table(call_site->fn_mcxt, collation);
		call_site->fn_extra = site;
	}
	return static_cast<KeywordSite *>(call_site->fn_extra);
}

bool
are_same(const ArrayType *left, const ArrayType *right)
{
	return left != nullptr && VARSIZE(left) == VARSIZE(right) && memcmp(left, right, VARSIZE(left)) == 0;
}

} // namespace

} // namespace lead_scoring::pg

using namespace lead_scoring::pg;

LEAD_SCORING_FUNCTION(lead_scoring_keyword_hits);

// Count the keywords in a text
Datum
lead_scoring_keyword_hits(PG_FUNCTION_ARGS)
{
	text *body = PG_GETARG_TEXT_PP(0);
	ArrayType *keywords = PG_GETARG_ARRAYTYPE_P(1);
	KeywordSite *site = site_of(fcinfo->flinfo, PG_GET_COLLATION());

	if (!are_same(site->keywords, keywords))
	{
		learn_keywords(site, fcinfo->flinfo->fn_mcxt, keywords);
	}
	PG_RETURN_INT32(static_cast<int32>(count_hits(site, reader_of(body))));
}
