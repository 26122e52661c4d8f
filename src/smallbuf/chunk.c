/* SPDX-License-Identifier: MIT */
/*
 * chunk.c - the memory of a small buffer's chunks: how large it is, where it comes from, and what
 * it begins with.
 */
#include "chunk.h"

#include <string.h>

#include <veryfast/detail/smallbuf_lane.h>

#include "../common/arith.h"
#include "../common/hook.h"
#include "../common/probe.h"
#ifdef VF_CHECKED
#    include "../common/sanitize.h"
#endif

uint64_t vf_chunk_cap(const vf_smallbuf_options *options)
{
    return options != NULL && options->max_elements != 0 ? options->max_elements : UINT64_MAX;
}

/* ---- memory ---- */

static vf_allocator hook_of(const vf_smallbuf_options *options)
{
    static const vf_allocator none;
    return vf_hook_or_default(options != NULL ? &options->allocator : &none);
}

void *vf_chunk_memory(const vf_smallbuf_options *options, size_t size, size_t alignment)
{
    vf_allocator hook = hook_of(options);
    void *memory = vf_hook_alloc(&hook, size, alignment);
#ifdef VF_CHECKED /* the program's pushes look at what the library writes here */
    if (memory != NULL)
        vf_sanitize_written(memory, size);
#endif
    return memory;
}

void vf_chunk_memory_free(const vf_smallbuf_options *options, void *memory, size_t size,
                          size_t alignment)
{
    vf_allocator hook = hook_of(options);
    vf_hook_dealloc(&hook, memory, size, alignment);
}

/* ---- sizes ---- */

static size_t chunk_alignment(const vf_smallbuf_type *type)
{
    return vf_max(type->alignment, VF_CACHE_LINE);
}

static size_t marks_size(const vf_smallbuf_type *type, size_t level)
{
    if (!type->writers)
        return 0;
    uint64_t block = vf_block_slots(level, vf_block_least(type->size));
    return (size_t)(((uint64_t)1 << level) / block) * sizeof(vf_mark);
}

/* Bytes of a chunk's slots and marks, 0 if they cannot be counted. */
static size_t slots_size(size_t level, const vf_smallbuf_type *type)
{
    uint64_t slots = (uint64_t)1 << level;
    /* the other half is more than marks, window and directory */
    if (level >= VF_SPILL_LEVELS || slots > SIZE_MAX / 2 / type->size)
        return 0;
    return vf_marks_offset(level, type->size) + marks_size(type, level);
}

/* Bytes before the directory: the lanes' heads, and their window. */
static size_t heads_size(const vf_smallbuf_type *type)
{
    size_t size = sizeof(vf_window) + VF_LANE_HEADS * sizeof(vf_lane *);
    return type->lanes ? vf_round_up(size, VF_CACHE_LINE) : 0;
}

/* Bytes before the slots of a chunk, with the directory if it is the first. */
static size_t lead_size(bool first, const vf_smallbuf_type *type)
{
    size_t alignment = chunk_alignment(type);
    size_t windows = type->writers ? 0 : VF_KEPT_WINDOWS;
    size_t directory = heads_size(type) + sizeof(vf_directory) + windows * sizeof(vf_kept_window);
    return vf_round_up(sizeof(vf_lead) + (first ? directory : 0), alignment);
}

/* A first chunk that nobody has chosen: as many slots as inside, and 256 bytes at least. */
static size_t first_level(const vf_smallbuf_options *options, const vf_smallbuf_type *type)
{
    uint64_t wanted = options != NULL ? options->first_chunk : 0;
    if (wanted == 0)
        wanted = type->inside > 256 / type->size ? type->inside : 256 / type->size;
    size_t level = 0;
    while (level < VF_SPILL_LEVELS - 1 && (uint64_t)1 << level < wanted)
        level++;
    return level;
}

/* ---- chunks ---- */

size_t vf_chunk_marks_size(const vf_directory *directory, size_t level)
{
    return marks_size(&directory->type, level);
}

/* The first index behind a chunk's slots that is not within the cap. */
static uint64_t slots_end(const vf_directory *directory, size_t level)
{
    uint64_t end = vf_chunk_end(directory, level);
    uint64_t cap = vf_chunk_cap(directory->options);
    return end < cap ? end : cap;
}

uint64_t vf_chunk_room(const vf_directory *directory, size_t level)
{
    void *chunk = vf_load_relaxed(&directory->chunks[level]); /* the caller has acquired it */
    uint64_t end = slots_end(directory, level);
    uint64_t first = vf_window_of(chunk)->first;
    return vf_lead_of(chunk)->limit < end - first ? first + vf_lead_of(chunk)->limit : end;
}

void vf_chunk_limit(vf_directory *directory, size_t level, uint64_t limit)
{
    vf_lead_of(directory->chunks[level])->limit = limit;
    vf_store_relaxed(&directory->room, vf_chunk_room(directory, level)); /* as in free_chunks */
}

static vf_window window_at(vf_directory *directory, size_t level)
{
    uint64_t first = ((uint64_t)1 << level) - directory->offset;
    uint64_t end = slots_end(directory, level);
    return (vf_window){first, end > first ? end - first : 0, directory};
}

/* Makes the memory behind the lead a chunk. */
static void chunk_init(vf_directory *directory, char *slots, size_t level)
{
    vf_lead_of(slots)->limit = VF_NO_LIMIT;
    *vf_window_of(slots) = window_at(directory, level);
    memset(slots + vf_marks_offset(level, directory->type.size), 0,
           vf_chunk_marks_size(directory, level));
}

void *vf_chunk_new(vf_directory *directory, size_t level)
{
    const vf_smallbuf_type *type = &directory->type;
    size_t size = slots_size(level, type);
    size_t lead = lead_size(false, type);
    char *memory = NULL;
    if (size != 0)
        memory = vf_chunk_memory(directory->options, lead + size, chunk_alignment(type));
    if (memory == NULL)
        return NULL;
    chunk_init(directory, memory + lead, level);
    VF_PROBE(smallbuf_grow, directory, (size_t)1 << level);
    return memory + lead;
}

size_t vf_chunk_free(const vf_directory *directory, void *chunk, size_t level)
{
    const vf_smallbuf_type *type = &directory->type;
    size_t lead = lead_size(false, type);
    size_t size = lead + slots_size(level, type);
    vf_chunk_memory_free(directory->options, (char *)chunk - lead, size, chunk_alignment(type));
    return size;
}

/* The windows that stay when chunks go. */
static void windows_init(vf_directory *directory)
{
    vf_kept_window *kept;
    directory->none = (vf_kept_window){NULL, {0, 0, directory}};
    if (directory->type.lanes)
        *vf_window_of(vf_lane_heads(directory)) = directory->none.window;
    for (size_t i = directory->first; (kept = vf_kept_window_of(directory, i)) != NULL; i++)
        *kept = (vf_kept_window){directory->chunks[i], window_at(directory, i)};
}

vf_directory *vf_chunk_directory_new(const vf_smallbuf_options *options,
                                     const vf_smallbuf_type *type)
{
    size_t level = first_level(options, type);
    size_t size = slots_size(level, type);
    size_t lead = lead_size(true, type);
    char *memory = NULL;
    if (size != 0)
        memory = vf_chunk_memory(options, lead + size, chunk_alignment(type));
    if (memory == NULL)
        return NULL;
    memset(memory, 0, heads_size(type) + sizeof(vf_directory));
    vf_directory *directory = (vf_directory *)(void *)(memory + heads_size(type));
    directory->options = options;
    directory->type = *type;
    directory->first = level;
    directory->block = vf_block_least(type->size);
    directory->fill = 1;
    directory->keyed.spill = &directory->keyed.options;
    if (options != NULL)
        directory->keyed.options.allocator = options->allocator;
    directory->offset = ((uint64_t)1 << level) - type->inside;
    directory->chunks[level] = memory + lead;
    chunk_init(directory, directory->chunks[level], level);
    windows_init(directory);
    directory->room = vf_chunk_room(directory, level);
    VF_PROBE(smallbuf_grow, directory, (size_t)1 << level);
    return directory;
}

size_t vf_chunk_directory_free(vf_directory *directory)
{
    const vf_smallbuf_type *type = &directory->type;
    size_t alignment = chunk_alignment(type); /* type goes with the directory */
    size_t size = lead_size(true, type) + slots_size(directory->first, type);
    vf_chunk_memory_free(directory->options, (char *)directory - heads_size(type), size, alignment);
    return size;
}
