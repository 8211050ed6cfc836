/* What the stub upstream and the load generator share: time, buffers, sockets, and the mark that events carry.
 *
 * Each event's text holds a mark "~NNNN:TTTTTTTTTTTTTTTT~": the event's number in its answer, and when the stub sent it
 * (CLOCK_MONOTONIC in ns, 0 for an answer that isn't paced). Both processes run on one machine, so they share that clock.
 * Numbers are in base 16 with the digits a to p: nothing in a mark is ever escaped in JSON or taken for a number, and a
 * translating gateway carries it along with the text. */
#ifndef WIRE_H
#define WIRE_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK_BYTES 23 /* ~ 4 : 16 ~ */
#define NUMBER_DIGITS 4
#define TIME_DIGITS 16
#define SECOND 1000000000ull

typedef struct {
    char *data;
    size_t size, room;
} Buffer;

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static inline uint64_t read_digits(const char *p, int digits) {
    uint64_t value = 0;
    while (digits--) value = value << 4 | (uint64_t)(*p++ - 'a');
    return value;
}

static inline void write_digits(char *p, int digits, uint64_t value) {
    for (; digits--; value >>= 4) p[digits] = (char)('a' + (value & 15));
}

static inline void append(Buffer *b, const void *data, size_t size) {
    if (b->size + size > b->room) {
        b->room = (b->size + size) * 2;
        b->data = realloc(b->data, b->room);
        if (!b->data) die("realloc");
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline Buffer read_file(const char *path) {
    Buffer b = {0};
    char part[65536];
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    for (size_t got; (got = fread(part, 1, sizeof part, f)) > 0;) append(&b, part, got);
    append(&b, "", 1); /* so that string functions end */
    b.size--;
    fclose(f);
    return b;
}

static inline struct sockaddr_in loopback(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static inline void make_fast(int fd) {
    int on = 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Chunked bodies (RFC 9112, 7.1), taken apart byte by byte where sizes are and in runs where data is. */
typedef struct {
    enum { SIZE, SIZE_LINE, DATA, DATA_END, TRAILER } at;
    size_t left;
    int line; /* bytes of the trailer line under way */
} Chunks;

/* Calls `data` for each run. Returns 1 at the body's end, 0 when more is needed, -1 for what isn't chunked. */
static inline int unchunk(Chunks *c, const char *p, size_t n, void (*data)(void *, const char *, size_t), void *with) {
    for (const char *end = p + n; p < end;) {
        if (c->at == DATA) {
            size_t run = (size_t)(end - p) < c->left ? (size_t)(end - p) : c->left;
            data(with, p, run);
            p += run;
            if (!(c->left -= run)) c->at = DATA_END;
            continue;
        }
        char b = *p++;
        switch (c->at) {
        case SIZE:
            if (b >= '0' && b <= '9') c->left = c->left * 16 + (size_t)(b - '0');
            else if ((b | 32) >= 'a' && (b | 32) <= 'f') c->left = c->left * 16 + (size_t)((b | 32) - 'a' + 10);
            else if (b == ';') c->at = SIZE_LINE;
            else if (b == '\n') c->at = c->left ? DATA : TRAILER, c->line = 0;
            else if (b != '\r') return -1;
            break;
        case SIZE_LINE:
            if (b == '\n') c->at = c->left ? DATA : TRAILER, c->line = 0;
            break;
        case DATA_END:
            if (b == '\n') c->at = SIZE, c->left = 0;
            else if (b != '\r') return -1;
            break;
        default:
            if (b == '\n') {
                if (!c->line) return c->at = SIZE, c->left = 0, 1;
                c->line = 0;
            } else if (b != '\r') c->line++;
        }
    }
    return 0;
}

#endif
