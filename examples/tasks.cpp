/* SPDX-License-Identifier: MIT */
/*
 * tasks.cpp - a task system: tasks that hold atomics, so that they can be neither moved nor copied;
 * one thread makes a task, another runs it, and the thread that ends its last child frees it. Each
 * round has a pool of its own, and the threads live longer than any of them. With --malloc tasks
 * are made by new.
 *
 *     tasks [--depth N] [--rounds N] [--threads N] [--malloc]
 *
 * A task has four children until the depth is reached; its result is made of theirs.
 */
#include "program.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include <veryfast/veryfast.hpp>

namespace
{

struct settings {
    std::size_t depth = 9, rounds = 3, threads = processors();
    bool use_malloc = false;
};

constexpr unsigned children = 4;

struct task {
    task(task *of, std::uint64_t which, std::size_t levels) noexcept
        : parent(of), seed(which), depth(levels)
    {
    }
    task *const parent;
    const std::uint64_t seed;
    const std::size_t depth;
    std::atomic<unsigned> waits_for{children};
    std::atomic<std::uint64_t> sum{0};
};

// What a thread has to do; others take from its other end.
class queue
{
  public:
    void push(task *one)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        tasks_.push_back(one);
    }
    task *pop()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (first_ == tasks_.size())
            return nullptr;
        task *last = tasks_.back();
        tasks_.pop_back();
        return last;
    }
    task *steal()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (first_ == tasks_.size())
            return nullptr;
        task *oldest = tasks_[first_++];
        if (first_ == tasks_.size()) {
            tasks_.clear();
            first_ = 0;
        }
        return oldest;
    }

  private:
    std::mutex mutex_;
    std::vector<task *> tasks_;
    std::size_t first_ = 0;
};

struct pooled {
    veryfast::pool<task> tasks;
    task *make(task *parent, std::uint64_t seed, std::size_t depth)
    {
        return tasks.emplace(parent, seed, depth);
    }
    void free(task *one)
    {
        tasks.destroy(one);
    }
};

struct allocated {
    task *make(task *parent, std::uint64_t seed, std::size_t depth)
    {
        return new (std::nothrow) task(parent, seed, depth);
    }
    void free(task *one)
    {
        delete one;
    }
};

// One for each round.
template <typename Memory> struct round {
    explicit round(std::vector<queue> &all) : queues(all)
    {
    }

    Memory memory;
    std::vector<queue> &queues;
    std::atomic<bool> over{false}, failed{false};
    std::uint64_t result = 0;

    void work(std::size_t self)
    {
        while (!over) {
            task *one = queues[self].pop();
            for (std::size_t i = 1; one == nullptr && i < queues.size(); i++)
                one = queues[(self + i) % queues.size()].steal();
            if (one != nullptr)
                run(one, self);
            else
                sched_yield();
        }
    }

    void run(task *one, std::size_t self)
    {
        std::uint64_t state = one->seed;
        std::uint64_t mine = next_random(&state);
        one->sum.fetch_add(mine, std::memory_order_relaxed);
        if (one->depth == 0) {
            end(one);
            return;
        }
        // all are there before one is seen: the last to end frees their parent
        task *made[children];
        for (task *&each : made) {
            each = memory.make(one, next_random(&state), one->depth - 1);
            if (each == nullptr) { // the round is given up; its pool has what is left
                failed = true;
                over = true;
                return;
            }
        }
        for (task *each : made)
            queues[self].push(each);
    }

    // The task and those above it that have waited for nothing else.
    void end(task *one)
    {
        for (;;) {
            task *parent = one->parent;
            std::uint64_t sum = one->sum.load(std::memory_order_relaxed);
            memory.free(one);
            if (parent == nullptr) {
                result = sum;
                over = true;
                return;
            }
            parent->sum.fetch_add(sum, std::memory_order_relaxed);
            // release: the sum is there; acquire: the last one has all of them
            if (parent->waits_for.fetch_sub(1, std::memory_order_acq_rel) != 1)
                return;
            one = parent;
        }
    }
};

template <typename Memory> struct program {
    const settings *of;
    std::vector<queue> queues;
    struct barrier barrier;
    std::unique_ptr<round<Memory>> current;
    std::atomic<std::size_t> joined{0};
    std::uint64_t checksum = 0;
    bool failed = false;

    void begin()
    {
        current = std::make_unique<round<Memory>>(queues);
        task *root = current->memory.make(nullptr, checksum + 1, of->depth);
        if (root != nullptr)
            queues[0].push(root);
        else
            current->over = current->failed = true;
    }

    void finish()
    {
        failed |= current->failed;
        checksum = checksum * 31 + current->result;
        current.reset(); // and its pool; the threads stay
        for (queue &each : queues)
            while (each.pop() != nullptr)
                ;
    }

    static void run(void *context)
    {
        auto self = static_cast<program *>(context);
        std::size_t number = self->joined++;
        for (std::size_t i = 0; i < self->of->rounds; i++) {
            if (number == 0)
                self->begin();
            barrier_wait(&self->barrier);
            self->current->work(number);
            barrier_wait(&self->barrier);
            if (number == 0)
                self->finish();
        }
    }
};

template <typename Memory> bool run(const settings &of)
{
    program<Memory> all{&of, std::vector<queue>(of.threads), {}, nullptr, {0}, 0, false};
    std::size_t threads = run_threads(of.threads, program<Memory>::run, &all, &all.barrier);
    std::printf("%zu rounds of tasks that make %u others, %zu deep, on %zu threads\n", of.rounds,
                children, of.depth, threads);
    std::printf("checksum %016" PRIx64 "\n", all.checksum);
    return threads > 0 && !all.failed;
}

bool parse(int count, char **arguments, settings *to)
{
    for (int i = 1; i < count; i++) {
        const char *word = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (std::strcmp(word, "--malloc") == 0)
            to->use_malloc = true;
        else if (std::strcmp(word, "--depth") == 0 && parse_number(value, 0, 15, &to->depth))
            i++;
        else if (std::strcmp(word, "--rounds") == 0 && parse_number(value, 1, 1000, &to->rounds))
            i++;
        else if (std::strcmp(word, "--threads") == 0 &&
                 parse_number(value, 1, MOST_THREADS, &to->threads))
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
        std::fputs("usage: tasks [--depth N] [--rounds N] [--threads N] [--malloc]\n", stderr);
        return 2;
    }
    double start = seconds();
    bool good = of.use_malloc ? run<allocated>(of) : run<pooled>(of);
    print_end(seconds() - start);
    if (!good)
        std::fputs("tasks: no memory\n", stderr);
    return good ? 0 : 1;
}
