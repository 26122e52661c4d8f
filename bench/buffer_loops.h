/* SPDX-License-Identifier: MIT */
/*
 * buffer_loops.h - template: the timed loops, stamped out for each buffer, in C and C++.
 *
 *     LOOPS               prefix of the functions
 *     LOOPS_TYPE          the buffer's type
 *     LOOPS_MAKE(b)       statement: makes the buffer *b (in C++ it is constructed already)
 *     LOOPS_PRODUCER(b)   declarations: what a producer holds
 *     LOOPS_PUSH(b, v)    statement: pushes the number v
 *     LOOPS_PRODUCED      statement: gives up what the producer holds
 *     LOOPS_DRAIN(b, sum) statement: takes all elements out and adds them to sum
 *     LOOPS_UNMAKE(b)     statement: gives up the buffer *b (in C++ it is destroyed by itself)
 *     LOOPS_CLEAR(b)      statement: empties it without a look. Without: no loop inside
 */
#define LOOPS_CAT_(a, b) a##b
#define LOOPS_CAT(a, b)  LOOPS_CAT_(a, b)
#define LOOP(name)       LOOPS_CAT(LOOPS, name)

static LOOPS_TYPE LOOP(_hot);
static LOOPS_TYPE *LOOP(_many);

static void LOOP(_make)(void *context, unsigned worker)
{
    (void)context;
    (void)worker;
    LOOPS_MAKE(&LOOP(_hot))
}

/* All workers push to one buffer. */
static void LOOP(_fill)(void *context, unsigned worker)
{
    size_t each = ((const struct buffer_work *)context)->each;
    LOOPS_TYPE *buffer = &LOOP(_hot);
    LOOPS_PRODUCER(buffer)
    for (size_t i = 0; i < each; i++) {
        uint64_t value = element(worker, i);
        LOOPS_PUSH(buffer, value)
    }
    LOOPS_PRODUCED
}

static void LOOP(_drain)(void *context, unsigned worker)
{
    LOOPS_TYPE *buffer = &LOOP(_hot);
    uint64_t sum = 0;
    (void)worker;
    LOOPS_DRAIN(buffer, sum)
    ((struct buffer_work *)context)->sum = sum;
}

/* Rounds of so many that no memory is needed. */
#ifdef LOOPS_CLEAR
static void LOOP(_inside)(void *context, unsigned worker)
{
    LOOPS_TYPE *buffer = &LOOP(_hot);
    LOOPS_PRODUCER(buffer)
    for (size_t rounds = ((const struct buffer_work *)context)->rounds; rounds > 0; rounds--) {
        for (size_t i = 0; i < INSIDE; i++) {
            uint64_t value = element(worker, i);
            LOOPS_PUSH(buffer, value)
        }
        LOOPS_CLEAR(buffer)
    }
    LOOPS_PRODUCED
}
#endif

/* A buffer that is made, pushed to a few times, drained and given up, again and again. */
static void LOOP(_fresh)(void *context, unsigned worker)
{
    struct buffer_work *work = (struct buffer_work *)context;
    uint64_t sum = 0;
    for (size_t rounds = work->rounds; rounds > 0; rounds--) {
        LOOPS_TYPE own;
        LOOPS_MAKE(&own)
        escape(&own);
        {
            LOOPS_PRODUCER(&own)
            for (size_t i = 0; i < FEW_PUSH; i++) {
                uint64_t value = element(worker, i);
                LOOPS_PUSH(&own, value)
            }
            LOOPS_PRODUCED
        }
        escape(&own);
        LOOPS_DRAIN(&own, sum)
        LOOPS_UNMAKE(&own)
    }
    work->sum = sum;
}

/* Many buffers, which are pushed to at random ... */
static void LOOP(_make_many)(void *context, unsigned worker)
{
    (void)context;
    (void)worker;
#ifdef __cplusplus
    LOOP(_many) = new LOOPS_TYPE[MAILBOXES];
#else
    LOOP(_many) = aligned_alloc(64, (MAILBOXES * sizeof(LOOPS_TYPE) + 63) / 64 * 64);
#endif
    for (size_t i = 0; i < MAILBOXES; i++) {
        LOOPS_MAKE(&LOOP(_many)[i])
    }
}

static void LOOP(_send)(void *context, unsigned worker)
{
    size_t each = ((const struct buffer_work *)context)->each;
    uint64_t random = worker + 1;
    for (size_t i = 0; i < each; i++) {
        random = random * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX generator */
        LOOPS_TYPE *buffer = &LOOP(_many)[(random >> 32) * MAILBOXES >> 32];
        uint64_t value = element(worker, i);
        LOOPS_PRODUCER(buffer)
        LOOPS_PUSH(buffer, value)
        LOOPS_PRODUCED
    }
}

/* ... and then visited one by one. */
static void LOOP(_receive)(void *context, unsigned worker)
{
    uint64_t sum = 0;
    (void)worker;
    for (size_t i = 0; i < MAILBOXES; i++) {
        LOOPS_TYPE *buffer = &LOOP(_many)[i];
        LOOPS_DRAIN(buffer, sum)
    }
    ((struct buffer_work *)context)->sum = sum;
}

/* Times each push by itself. */
static void LOOP(_single)(void *context, unsigned worker)
{
    struct buffer_work *work = (struct buffer_work *)context;
    LOOPS_TYPE *buffer = &LOOP(_hot);
    LOOPS_PRODUCER(buffer)
    for (size_t i = 0; i < work->each; i++) {
        double begin = now_ns();
        LOOPS_PUSH(buffer, element(worker, i))
        work->single_ns[i] = (float)(now_ns() - begin);
    }
    LOOPS_PRODUCED
}

#ifdef __cplusplus
extern
#else
static
#endif
    const struct buffer_loops LOOP(_loops) = {
        LOOP(_make),   LOOP(_fill),      LOOP(_drain),
#ifdef LOOPS_CLEAR
        LOOP(_inside),
#else
        NULL,
#endif
        LOOP(_fresh),  LOOP(_make_many), LOOP(_send),  LOOP(_receive), LOOP(_single),
};

#undef LOOPS
#undef LOOPS_TYPE
#undef LOOPS_MAKE
#undef LOOPS_PRODUCER
#undef LOOPS_PUSH
#undef LOOPS_PRODUCED
#undef LOOPS_DRAIN
#undef LOOPS_UNMAKE
#undef LOOPS_CLEAR
