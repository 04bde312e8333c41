// Runs a fuzz target where there is no libFuzzer: over the inputs it is given, and for some seconds over changes of them
// made at random, always the same ones. blind SECONDS FILE...
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace
{

void
run(const std::string &input)
{
	LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(input.data()), input.size());
}

// Change, drop, repeat or splice in a few bytes
std::string
mutate(std::string input, const std::vector<std::string> &corpus, std::mt19937_64 &random)
{
	for (uint64_t change = random() % 4 + 1; change > 0; change--)
	{
		size_t at = input.empty() ? 0 : random() % input.size();
		const std::string &other = corpus[random() % corpus.size()];
		switch (random() % 5)
		{
		case 0:
			input.insert(at, 1, static_cast<char>(random()));
			break;
		case 1:
			input.erase(at, random() % 8);
			break;
		case 2:
			input.insert(at, other.substr(other.empty() ? 0 : random() % other.size(), random() % 16));
			break;
		case 3:
			input = input.substr(0, at) + other.substr(other.empty() ? 0 : random() % other.size());
			break;
		default:
			if (!input.empty())
			{
				input[at] = static_cast<char>(random());
			}
		}
	}
	return input;
}

} // namespace

int
main(int count, char **arguments)
{
	std::vector<std::string> corpus;
	std::mt19937_64 random(1);
	uint64_t runs = 0;

	if (count < 3)
	{
		std::fprintf(stderr, "usage: %s SECONDS FILE...\n", arguments[0]);
		return 2;
	}
	for (int at = 2; at < count; at++)
	{
		std::ifstream file(arguments[at], std::ios::binary);
		corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
		run(corpus.back());
	}
	auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(arguments[1]));
	for (; std::chrono::steady_clock::now() < end; runs++)
	{
		run(mutate(corpus[random() % corpus.size()], corpus, random));
	}
	std::fprintf(stderr, "Done %llu runs\n", static_cast<unsigned long long>(runs));
	return 0;
}
