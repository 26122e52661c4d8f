/* SPDX-License-Identifier: MIT */
/*
 * buffers_cpp.cpp - the small buffer's peers that are in C++ only, see buffer_work.h.
 */
#include "buffer_work.h"

#if HAVE_TBB
#    include <tbb/concurrent_queue.h>
#    include <tbb/concurrent_vector.h>

#    define LOOPS      tbb_vector
#    define LOOPS_TYPE tbb::concurrent_vector<uint64_t>
#    define LOOPS_MAKE(b)
#    define LOOPS_PRODUCER(b)
#    define LOOPS_PUSH(b, v) (b)->push_back(v);
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum)                                                                    \
        for (uint64_t value : *(b))                                                                \
            (sum) += value;                                                                        \
        (b)->clear();
#    define LOOPS_UNMAKE(b)
#    include "buffer_loops.h"

#    define LOOPS      tbb_queue
#    define LOOPS_TYPE tbb::concurrent_queue<uint64_t>
#    define LOOPS_MAKE(b)
#    define LOOPS_PRODUCER(b)
#    define LOOPS_PUSH(b, v) (b)->push(v);
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum)                                                                    \
        for (uint64_t value = 0; (b)->try_pop(value);) {                                           \
            (sum) += value;                                                                        \
        }
#    define LOOPS_UNMAKE(b)
#    include "buffer_loops.h"
#endif

#if HAVE_CONCURRENTQUEUE
#    include <concurrentqueue/concurrentqueue.h>

/* The way that its documentation says is the quickest: many at once. */
static uint64_t take_all(moodycamel::ConcurrentQueue<uint64_t> &queue)
{
    uint64_t values[256];
    uint64_t sum = 0;
    for (size_t n; (n = queue.try_dequeue_bulk(values, 256)) > 0;) {
        for (size_t i = 0; i < n; i++)
            sum += values[i];
    }
    return sum;
}

#    define LOOPS      moodycamel
#    define LOOPS_TYPE moodycamel::ConcurrentQueue<uint64_t>
#    define LOOPS_MAKE(b)
#    define LOOPS_PRODUCER(b)
#    define LOOPS_PUSH(b, v) (b)->enqueue(v);
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum) (sum) += take_all(*(b));
#    define LOOPS_UNMAKE(b)
#    include "buffer_loops.h"

#    define LOOPS      moodycamel_token
#    define LOOPS_TYPE moodycamel::ConcurrentQueue<uint64_t>
#    define LOOPS_MAKE(b)
#    define LOOPS_PRODUCER(b) moodycamel::ProducerToken token(*(b));
#    define LOOPS_PUSH(b, v)  (b)->enqueue(token, v);
#    define LOOPS_PRODUCED
#    define LOOPS_DRAIN(b, sum) (sum) += take_all(*(b));
#    define LOOPS_UNMAKE(b)
#    include "buffer_loops.h"

static void bulk_fill(void *context, unsigned worker)
{
    size_t each = static_cast<const buffer_work *>(context)->each;
    moodycamel::ProducerToken token(moodycamel_token_hot);
    uint64_t values[PUSH_N];
    for (size_t i = 0; i < each; i += PUSH_N) {
        size_t n = each - i < PUSH_N ? each - i : PUSH_N;
        for (size_t k = 0; k < n; k++)
            values[k] = element(worker, i + k);
        moodycamel_token_hot.enqueue_bulk(token, values, n);
    }
}

extern const struct buffer_loops moodycamel_bulk_loops = {
    moodycamel_token_make, bulk_fill, moodycamel_token_drain, NULL, NULL, NULL, NULL, NULL, NULL,
};
#endif
