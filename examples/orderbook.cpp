/* SPDX-License-Identifier: MIT */
/*
 * orderbook.cpp - an order book of the standard library's node containers: a map of prices for
 * each side, with a list of orders for each price, and a hash table from an order's number to its
 * place. All nodes come from pools, by veryfast::allocator; with --malloc by std::allocator.
 *
 *     orderbook [--orders N] [--seed N] [--malloc]
 *
 * Orders come in at random near the middle, are matched with those of the other side, or cancelled
 * at random. When half of them have come, all are cancelled, and the rest meets what that left of
 * memory: the second half is timed too.
 */
#include "program.h"

#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <veryfast/veryfast.hpp>

namespace
{

struct settings {
    std::size_t orders = 1000000, seed = 1;
    bool use_malloc = false;
};

struct order {
    std::uint64_t number;
    std::uint32_t quantity;
    std::int32_t price;
    bool buys;
};

// What a book has done, whatever its memory is.
struct totals {
    std::uint64_t traded = 0, cancelled = 0, checksum = 0;

    void note(std::uint64_t what)
    {
        checksum = (checksum ^ what) * 0x9e3779b97f4a7c15;
        checksum ^= checksum >> 29;
    }
};

template <template <typename> class Allocator> class book
{
    using queue = std::list<order, Allocator<order>>;
    template <typename Order>
    using side =
        std::map<std::int32_t, queue, Order, Allocator<std::pair<const std::int32_t, queue>>>;
    using place = typename queue::iterator;
    using index = std::unordered_map<std::uint64_t, place, std::hash<std::uint64_t>,
                                     std::equal_to<std::uint64_t>,
                                     Allocator<std::pair<const std::uint64_t, place>>>;

  public:
    void add(order one, totals &sums)
    {
        if (one.buys)
            add(one, sums, buyers_, sellers_);
        else
            add(one, sums, sellers_, buyers_);
    }

    // If it is still there.
    void cancel(std::uint64_t number, totals &sums)
    {
        auto found = index_.find(number);
        if (found == index_.end())
            return;
        place at = found->second;
        sums.cancelled++;
        sums.note(at->quantity);
        index_.erase(found);
        if (at->buys)
            remove(buyers_, at);
        else
            remove(sellers_, at);
    }

    std::size_t size() const
    {
        return index_.size();
    }

  private:
    template <typename Mine, typename Theirs>
    void add(order one, totals &sums, Mine &mine, Theirs &theirs)
    {
        while (one.quantity > 0 && !theirs.empty()) {
            auto best = theirs.begin();
            if (mine.key_comp()(one.price, best->first))
                break; // mine is further from the middle than the best of theirs allows
            match(one, sums, best->second);
            if (best->second.empty())
                theirs.erase(best);
        }
        if (one.quantity == 0)
            return;
        queue &waiting = mine[one.price];
        index_[one.number] = waiting.insert(waiting.end(), one);
    }

    void match(order &one, totals &sums, queue &others)
    {
        while (one.quantity > 0 && !others.empty()) {
            order &first = others.front();
            std::uint32_t traded = first.quantity < one.quantity ? first.quantity : one.quantity;
            sums.traded += traded;
            sums.note(first.number ^ traded);
            one.quantity -= traded;
            first.quantity -= traded;
            if (first.quantity == 0) {
                index_.erase(first.number);
                others.pop_front();
            }
        }
    }

    template <typename Side> static void remove(Side &from, place at)
    {
        auto level = from.find(at->price);
        level->second.erase(at);
        if (level->second.empty())
            from.erase(level);
    }

    side<std::greater<std::int32_t>> buyers_; // the best price first
    side<std::less<std::int32_t>> sellers_;
    index index_;
};

// So many orders, and then all that wait are cancelled, in no order.
template <typename Book>
void trade(Book &of, std::size_t orders, std::uint64_t first, std::uint64_t &random, totals &sums)
{
    for (std::uint64_t number = first; number < first + orders; number++) {
        std::uint64_t bits = next_random(&random);
        bool buys = (bits & 1) != 0;
        auto away = static_cast<std::int32_t>((bits >> 8) % 2000);
        auto quantity = static_cast<std::uint32_t>((bits >> 40) % 100 + 1);
        of.add({number, quantity, 100000 + (buys ? -away + 20 : away - 20), buys}, sums);
        if ((bits & 6) == 0)
            of.cancel(first + next_random(&random) % (number - first + 1), sums);
    }
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = first; number < first + orders; number++)
        numbers.push_back(number);
    for (std::size_t i = numbers.size(); i > 1; i--)
        std::swap(numbers[i - 1], numbers[next_random(&random) % i]);
    for (std::uint64_t number : numbers)
        of.cancel(number, sums);
}

template <template <typename> class Allocator> void run(const settings &of, double start)
{
    totals sums;
    std::uint64_t random = of.seed;
    book<Allocator> orders;
    trade(orders, of.orders / 2, 0, random, sums);
    double half = seconds();
    trade(orders, of.orders - of.orders / 2, of.orders, random, sums);
    std::printf("%zu orders, %" PRIu64 " shares traded, %" PRIu64 " orders cancelled\n", of.orders,
                sums.traded, sums.cancelled);
    std::printf("checksum %016" PRIx64 "\n", sums.checksum);
    std::printf("first half %.3f s, second half %.3f s\n", half - start, seconds() - half);
}

bool parse(int count, char **arguments, settings *to)
{
    for (int i = 1; i < count; i++) {
        const char *word = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (std::strcmp(word, "--malloc") == 0)
            to->use_malloc = true;
        else if (std::strcmp(word, "--orders") == 0 &&
                 parse_number(value, 2, 100000000, &to->orders))
            i++;
        else if (std::strcmp(word, "--seed") == 0 && parse_number(value, 0, SIZE_MAX, &to->seed))
            i++;
        else
            return false;
    }
    return true;
}

} // namespace

int main(int count, char **arguments)
{
    settings of;
    if (!parse(count, arguments, &of)) {
        std::fputs("usage: orderbook [--orders N] [--seed N] [--malloc]\n", stderr);
        return 2;
    }
    double start = seconds();
    if (of.use_malloc)
        run<std::allocator>(of, start);
    else
        run<veryfast::allocator>(of, start);
    print_end(seconds() - start);
}
