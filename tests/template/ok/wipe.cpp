/* SPDX-License-Identifier: MIT */
/*
 * wipe.cpp - secrets are gone after the free, as README has it: the object's next owner looks. The
 * destructor alone, or a memset, is removed by the compiler.
 */
#include <cstdio>
#include <cstring>
#include <new>
#include <strings.h>

struct key {
    unsigned char bytes[32];
    explicit key(unsigned char byte)
    {
        std::memset(bytes, byte, sizeof bytes);
    }
    ~key()
    {
        std::memset(bytes, 0, sizeof bytes);
    }
};

#define VF_T       key
#define VF_N       64
#define VF_NAME    keys
#define VF_DROP(k) ((k)->~key(), explicit_bzero((void *)(k), sizeof *(k)))
#include <veryfast/pool.h>

#define VF_T       key
#define VF_N       2
#define VF_NAME    box
#define VF_DROP(k) ((k)->~key(), explicit_bzero((void *)(k), sizeof *(k)))
#include <veryfast/smallbuf.h>

/* Is anything left of a key of such bytes? */
static int count_left(const void *where, size_t size, unsigned char byte)
{
    const unsigned char *bytes = static_cast<const unsigned char *>(where);
    int left = 0;
    for (size_t i = 0; i < size; i++)
        left += bytes[i] == byte;
    return left;
}

int main()
{
    keys *pool = keys_new(nullptr);
    if (pool == nullptr)
        return 1;
    key *secret = ::new (static_cast<void *>(keys_alloc(pool))) key(0x5a);
    keys_free(pool, secret);
    void *next = keys_alloc(pool);
    int left = next != secret ? 100 : count_left(next, sizeof(key), 0x5a);
    keys_release(pool); /* the one that is out keeps its memory */
    keys_free(pool, ::new (next) key(1));

    static box buffer;
    box_push(&buffer, key(0x5a));
    box_clear(&buffer);
    int in_buffer = count_left(&buffer, sizeof buffer, 0x5a);
    box_destroy(&buffer);
    std::printf("left of the key: %d bytes in the pool, %d in the buffer\n", left, in_buffer);
    return left + in_buffer != 0;
}
