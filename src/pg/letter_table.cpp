#include "pg/letter_table.hpp"

#include "core/emptiness.hpp"

extern "C"
{
#include "regex/regex.h"
#include "utils/formatting.h"
}

namespace lead_scoring::pg
{

using core::LetterClass;

namespace
{

bool
is_one_character(const char *text)
{
	return *text != '\0' && text[pg_encoding_mblen(GetDatabaseEncoding(), text)] == '\0';
}

// Whether a character belongs to a class of regular expressions
bool
is_in_class(const char *escape, std::string_view character, Oid collation)
{
	char bytes[MAX_MULTIBYTE_CHAR_LEN];

	memcpy(bytes, character.data(), character.size());
	return RE_compile_and_execute(cstring_to_text(escape), bytes, static_cast<int>(character.size()),
								  REG_ADVANCED | REG_NOSUB, collation, 0, nullptr);
}

// Classes of regular expressions, and all that Unicode calls white space: the C library leaves out the no-break space, of
// which mails are full
LetterClass
class_of(std::string_view character, Oid collation)
{
	if (is_in_class("\\w", character, collation))
	{
		return LetterClass::word;
	}
	if (is_in_class("\\s", character, collation))
	{
		return LetterClass::space;
	}
	if (GetDatabaseEncoding() == PG_UTF8)
	{
		auto *bytes = reinterpret_cast<const unsigned char *>(character.data());
		return core::is_white_space(utf8_to_unicode(bytes)) ? LetterClass::space : LetterClass::sign;
	}
	return LetterClass::sign;
}

} // namespace

LetterTable *
make_letter_table(MemoryContext parent, Oid collation)
{
	if (!OidIsValid(collation))
	{
		ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION),
						errmsg("could not determine which collation to use for keyword_hits"),
						errhint("Use the COLLATE clause to set the collation explicitly.")));
	}
	auto *table = static_cast<LetterTable *>(MemoryContextAllocZero(parent, sizeof(LetterTable)));
	table->collation = collation;
	// Regular expressions, whose classes are asked for, refuse nondeterministic collations
	table->class_collation = get_collation_isdeterministic(collation) ? collation : Oid{DEFAULT_COLLATION_OID};
	table->asking = AllocSetContextCreate(parent, "lead_scoring letters", ALLOCSET_SMALL_SIZES);
	return table;
}

void
forget_symbols(LetterTable *table) noexcept
{
	for (LetterSlot &slot : table->slots)
	{
		slot.symbol = no_symbol;
	}
}

void
ask_letter(LetterTable *table, LetterSlot *slot, uint32 code, std::string_view character)
{
	MemoryContext before = MemoryContextSwitchTo(table->asking);

	slot->character = 0;
	slot->symbol = no_symbol;
	char *upper = str_toupper(character.data(), character.size(), table->collation);
	char *lower = str_tolower(upper, strlen(upper), table->collation);
	// Where a case takes several characters, as in SS, the character stands for itself
	std::string_view form = is_one_character(upper) && is_one_character(lower) ? std::string_view(lower) : character;
	slot->letter.code = 0;
	for (char byte : form)
	{
		slot->letter.code = slot->letter.code << 8 | static_cast<unsigned char>(byte);
	}
	slot->letter.letter_class = class_of(form, table->class_collation);
	slot->character = code;
	MemoryContextSwitchTo(before);
	MemoryContextReset(table->asking);
}

} // namespace lead_scoring::pg
