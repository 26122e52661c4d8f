/* SPDX-License-Identifier: MIT */
/*
 * A document that is edited: a tree of elements with texts, as in a browser or a parser.
 *
 *     build/demo/examples/document [--malloc] [--elements N] [--edits N] [--seed N]
 *
 * Prints how many elements and texts there are in the end, a checksum of all, what the pools hold,
 * the most memory and the time taken.
 *
 * What it shows: two pools, one for each type. A document is built, and then edited: in each edit a
 * part of it goes, and as much comes elsewhere, and now and then all of it is read. After many
 * edits the elements that were made together still lie together, and so the reading stays fast; at
 * the end the pools are destroyed, and no tree is taken apart. A part that goes is taken apart by
 * its address alone, as where free(void *) is all there is: vf_free finds the pools. With --malloc
 * both types come from malloc instead, for comparison, and the tree is taken apart.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "program.h"

struct text {
    struct text *next;
    char bytes[24];
};

struct element {
    struct element *next, *first; /* a sibling, and a child */
    struct text *texts;
    uint32_t kind, children;
};

#define VF_T    struct element
#define VF_N    2048
#define VF_NAME elements
#include <veryfast/pool.h>

#define VF_T    struct text
#define VF_N    2048
#define VF_NAME texts
#include <veryfast/pool.h>

struct document {
    elements *elements; /* NULL: malloc */
    texts *texts;
    struct element *root;
    uint64_t random;
};

static struct element *element_new(struct document *document)
{
    return document->elements ? elements_alloc(document->elements) : malloc(sizeof(struct element));
}

static struct text *text_new(struct document *document)
{
    return document->texts ? texts_alloc(document->texts) : malloc(sizeof(struct text));
}

static bool use_malloc;

static void give_back(void *object)
{
    if (use_malloc)
        free(object);
    else
        vf_free(object);
}

/* An element and all below it: of whichever document. */
static void drop(struct element *element)
{
    for (struct text *text = element->texts, *next; text != NULL; text = next) {
        next = text->next;
        give_back(text);
    }
    for (struct element *child = element->first, *next; child != NULL; child = next) {
        next = child->next;
        drop(child);
    }
    give_back(element);
}

static bool write_text(struct document *document, struct element *element)
{
    struct text *text = text_new(document);
    if (text == NULL)
        return false;
    text->next = element->texts;
    memset(text->bytes, (int)(next_random(&document->random) % 64), sizeof text->bytes);
    element->texts = text;
    return true;
}

/* A part of so many elements; NULL: out of memory, and there is nothing. */
static struct element *build(struct document *document, size_t size)
{
    struct element *element = element_new(document);
    if (element == NULL)
        return NULL;
    *element = (struct element){.kind = (uint32_t)(next_random(&document->random) >> 40)};
    bool good = true;
    for (size_t n = random_below(&document->random, 3); good && n > 0; n--)
        good = write_text(document, element);
    for (size_t left = size - 1; good && left > 0;) {
        size_t part = left < 8 ? 1 : left / 4 + random_below(&document->random, left / 4);
        struct element *child = build(document, part);
        good = child != NULL;
        if (good) {
            child->next = element->first;
            element->first = child;
            element->children++;
            left -= part;
        }
    }
    if (good)
        return element;
    drop(element);
    return NULL;
}

static size_t count(const struct element *element)
{
    size_t all = 1;
    for (const struct element *child = element->first; child != NULL; child = child->next)
        all += count(child);
    return all;
}

/* Some element that has children, a few steps below the root. */
static struct element *choose(struct document *document)
{
    struct element *element = document->root;
    for (size_t depth = random_below(&document->random, 12); depth > 0; depth--) {
        struct element *child = element->first;
        for (size_t i = random_below(&document->random, element->children); i > 0; i--)
            child = child->next;
        if (child->first == NULL)
            break;
        element = child;
    }
    return element;
}

/* A child goes with all below it, and as much comes at another place. False: out of memory. */
static bool edit(struct document *document)
{
    struct element *from = choose(document), *gone = from->first;
    if (from->children < 2)
        return true;
    from->first = gone->next;
    from->children--;
    size_t size = count(gone);
    drop(gone);
    struct element *to = choose(document), *come = build(document, size);
    if (come == NULL)
        return false;
    come->next = to->first;
    to->first = come;
    to->children++;
    return true;
}

struct sums {
    uint64_t elements, texts, checksum;
};

static void read_all(const struct element *element, struct sums *sums)
{
    sums->elements++;
    sums->checksum = sums->checksum * 31 + element->kind + element->children;
    for (const struct text *text = element->texts; text != NULL; text = text->next) {
        sums->texts++;
        sums->checksum = sums->checksum * 31 + (unsigned char)text->bytes[5];
    }
    for (const struct element *child = element->first; child != NULL; child = child->next)
        read_all(child, sums);
}

/* False: out of memory. */
static bool write_document(struct document *document, size_t size, size_t edits, struct sums *sums)
{
    document->root = build(document, size);
    if (document->root == NULL)
        return false;
    for (size_t i = 0; i < edits; i++) {
        if (!edit(document))
            return false;
        if (i % 100 == 99) {
            *sums = (struct sums){.checksum = sums->checksum};
            read_all(document->root, sums);
        }
    }
    *sums = (struct sums){.checksum = sums->checksum};
    read_all(document->root, sums);
    return true;
}

static void print_pools(const struct document *document)
{
    vf_pool_stats stats = elements_stats(document->elements);
    vf_pool_stats_print(stdout, "elements", &stats);
    stats = texts_stats(document->texts);
    vf_pool_stats_print(stdout, "texts", &stats);
}

struct settings {
    size_t elements, edits, seed;
};

static bool parse(int count, char **arguments, struct settings *settings)
{
    static const struct option options[] = {{"malloc", no_argument, NULL, 'm'},
                                            {"elements", required_argument, NULL, 'e'},
                                            {"edits", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    bool good = true;
    for (int option; (option = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (option == 'm')
            use_malloc = true;
        else if (option == 'e')
            good &= parse_number(optarg, 10, UINT32_MAX, &settings->elements);
        else if (option == 'n')
            good &= parse_number(optarg, 0, UINT32_MAX, &settings->edits);
        else
            good = good && option == 's' && parse_number(optarg, 0, SIZE_MAX, &settings->seed);
    }
    if (!good || optind != count)
        fprintf(stderr, "usage: document [--malloc] [--elements N] [--edits N] [--seed N]\n");
    return good && optind == count;
}

int main(int count, char **arguments)
{
    struct settings settings = {.elements = 300000, .edits = 2000, .seed = 1};
    if (!parse(count, arguments, &settings))
        return 2;
    struct document document = {.random = settings.seed};
    struct sums sums = {0};
    double start = seconds();
    if (!use_malloc) {
        document.elements = elements_new(NULL);
        document.texts = texts_new(NULL);
    }
    bool good = use_malloc || (document.elements && document.texts);
    good = good && write_document(&document, settings.elements, settings.edits, &sums);
    printf("%" PRIu64 " elements, %" PRIu64 " texts from %s, %zu edits\n", sums.elements,
           sums.texts, use_malloc ? "malloc" : "pools", settings.edits);
    printf("checksum %016" PRIx64 "\n", sums.checksum);
    if (!good)
        fprintf(stderr, "document: %s\n", strerror(ENOMEM));
    else if (!use_malloc)
        print_pools(&document);
    if (use_malloc && document.root != NULL)
        drop(document.root);
    elements_destroy(document.elements);
    texts_destroy(document.texts);
    print_end(seconds() - start);
    return good ? 0 : 1;
}
