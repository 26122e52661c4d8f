/* SPDX-License-Identifier: MIT */
/*
 * A server's sessions: a cache of those used last, which clients name by handles.
 *
 *     build/demo/examples/sessions [--clients N] [--requests N] [--sessions N]
 *
 * A client that logs in gets the handle of its session, and sends it with each request. Where there
 * are too many sessions the one that was not used for longest is closed, and its client is not
 * told: its next request has a handle that leads nowhere. Some clients send what is no handle at
 * all: one with a bit changed, that of a session which was closed long ago, or any number. None of
 * that leads to a session; and the server needs no table but the pool. (A handle is no secret. A
 * client that knows how they are made can guess another's: where that matters, a session has a key
 * besides.)
 *
 * Prints how many requests met their session, were of one that is closed, or were refused as made
 * up, the most memory and the time. Each session knows its client: ends with 1 if a request got
 * somebody else's session, or none though it should have.
 */
#define _DEFAULT_SOURCE

#include <getopt.h>

#include "program.h"

struct session {
    size_t client, requests;
    struct session *newer, *older; /* in the order of use */
};

#define VF_T    struct session
#define VF_N    256
#define VF_NAME sessions
#define VF_HANDLE
#include <veryfast/pool.h>

struct client {
    sessions_handle session; /* what it was told; all zero: it is not logged in */
    bool open;               /* the truth, which the client does not know */
    sessions_handle former;  /* one that was closed */
};

struct server {
    sessions *pool;
    size_t open, most;
    struct session used; /* the ends of the list: newest, and oldest, next to it */
    struct client *clients;
    size_t met, closed, refused, wrong;
};

/* ---- the order of use ---- */

static void unlink_session(struct session *session)
{
    session->newer->older = session->older;
    session->older->newer = session->newer;
}

static void link_newest(struct server *server, struct session *session)
{
    session->newer = &server->used;
    session->older = server->used.older;
    session->older->newer = session;
    server->used.older = session;
}

/* ---- the server ---- */

static void close_oldest(struct server *server)
{
    struct session *oldest = server->used.newer;
    server->clients[oldest->client].open = false;
    unlink_session(oldest);
    sessions_free(server->pool, oldest);
    server->open--;
}

static sessions_handle log_in(struct server *server, size_t client)
{
    if (server->open == server->most)
        close_oldest(server);
    struct session *session = sessions_alloc(server->pool);
    if (!session)
        return (sessions_handle){0};
    *session = (struct session){.client = client};
    link_newest(server, session);
    server->open++;
    return sessions_handle_of(server->pool, session);
}

/* Whose session it is; NULL: nobody's. */
static const struct session *serve(struct server *server, sessions_handle handle)
{
    struct session *session = sessions_get(server->pool, handle);
    if (!session)
        return NULL;
    session->requests++;
    unlink_session(session);
    link_newest(server, session);
    return session;
}

static void log_out(struct server *server, sessions_handle handle)
{
    struct session *session = sessions_get(server->pool, handle);
    if (!session)
        return;
    unlink_session(session);
    server->wrong += !sessions_free_handle(server->pool, handle);
    server->wrong += sessions_free_handle(server->pool, handle);
    server->open--;
}

/* ---- its clients ---- */

/* What no session has, whatever the client tries. */
static void send_made_up(struct server *server, const struct client *client, uint64_t random)
{
    sessions_handle any = {random}, former = client->former, changed = client->session;
    changed.bits ^= UINT64_C(1) << 63; /* no slot has such a number */
    const sessions_handle tried[] = {any, former, changed, {0}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        const struct session *session = serve(server, tried[i]);
        server->refused += session == NULL;
        /* any number may be a session's, but by a chance of one in billions */
        server->wrong += session != NULL;
    }
}

static void ask(struct server *server, size_t number, uint64_t *random)
{
    struct client *client = &server->clients[number];
    uint64_t what = next_random(random);
    if (client->session.bits == 0) {
        client->session = log_in(server, number);
        client->open = client->session.bits != 0;
    } else if (what % 16 == 0) {
        send_made_up(server, client, next_random(random));
    } else if (what % 64 == 1) {
        log_out(server, client->session);
        client->former = client->session;
        *client = (struct client){.former = client->session};
    } else {
        const struct session *session = serve(server, client->session);
        server->met += session != NULL;
        server->closed += session == NULL;
        server->wrong += (session != NULL) != client->open;
        server->wrong += session && session->client != number;
        if (!session)
            *client = (struct client){.former = client->session};
    }
}

/* ---- the program ---- */

int main(int argc, char **argv)
{
    size_t clients = 3000, requests = 1000000;
    struct server server = {.most = 2000};
    static const struct option options[] = {{"clients", required_argument, NULL, 'c'},
                                            {"requests", required_argument, NULL, 'r'},
                                            {"sessions", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    bool valid = true;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        size_t *number = option == 'c' ? &clients : option == 'r' ? &requests : &server.most;
        valid = valid && option != '?' && parse_number(optarg, 1, 100000000, number);
    }
    if (!valid || optind < argc) {
        fprintf(stderr, "usage: %s [--clients N] [--requests N] [--sessions N]\n", argv[0]);
        return 2;
    }
    double begin = seconds();
    server.used.newer = server.used.older = &server.used;
    server.clients = calloc(clients, sizeof *server.clients);
    server.pool = sessions_new(NULL);
    if (!server.clients || !server.pool) {
        perror("sessions");
        return 1;
    }
    uint64_t random = 1;
    for (size_t i = 0; i < requests; i++)
        ask(&server, random_below(&random, clients), &random);
    server.wrong += sessions_stats(server.pool).live != server.open;
    printf("%zu met, %zu closed, %zu refused\n", server.met, server.closed, server.refused);
    if (server.wrong > 0)
        printf("%zu were wrong\n", server.wrong);
    sessions_destroy(server.pool);
    free(server.clients);
    print_end(seconds() - begin);
    return server.wrong > 0;
}
